import { readdirSync, readFileSync } from 'node:fs';

/** What one kind of process has used so far, all its processes together. */
export interface Use {
  readonly cpuMs: number;
  /** Memory with shared pages counted once among those who share them. */
  readonly pssKb: number;
}

/** Linux counts processor time in hundredths of a second, whatever the kernel's own clock. */
const TICK_MS = 10;

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** With that of children that have ended, which no list shows any more. */
  readonly cpuMs: number;
}

/** Undefined for a process that ended meanwhile. */
function readProcess(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before this may hold blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { pid, parent: Number(fields[1]), cpuMs: ticks * TICK_MS };
  } catch {
    return undefined;
  }
}

function pssKbOf(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function nameOf(pid: number): string {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ');
    if (command.includes('nats-server')) return 'nats';
    if (command.includes('postgres')) return 'postgresql';
    return /(\w+)\/main\.ts|(all-in-one)\.ts/.exec(command)?.slice(1).find(Boolean) ?? 'other';
  } catch {
    return 'other';
  }
}

/**
 * Processor time and memory of everything that this process has started, by kind: the folder of a service's `main.ts`,
 * `postgresql`, `nats`, and `load` for this process itself. Linux only.
 * @param withMemory costs some milliseconds for each process.
 */
export function readUse(withMemory: boolean): ReadonlyMap<string, Use> {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => readProcess(Number(pid)) ?? []);
  const children = Map.groupBy(all, ({ parent }) => parent);
  const use = new Map<string, Use>();
  const add = (name: string, { pid, cpuMs }: Process): void => {
    const { cpuMs: before = 0, pssKb = 0 } = use.get(name) ?? {};
    use.set(name, { cpuMs: before + cpuMs, pssKb: pssKb + (withMemory ? pssKbOf(pid) : 0) });
  };
  const visit = (pid: number, above: string): void => {
    for (const child of children.get(pid) ?? []) {
      // A backend of PostgreSQL writes what it does over its command line.
      const name = above === 'load' ? nameOf(child.pid) : above;
      add(name, child);
      visit(child.pid, name);
    }
  };
  const self = readProcess(process.pid);
  if (self !== undefined) add('load', self);
  visit(process.pid, 'load');
  return use;
}

type Uses = ReadonlyMap<string, Pick<Use, 'cpuMs'>>;

/** Milliseconds of processor time between two readings, by kind of process. */
export const cpuBetween = (before: Uses, after: Uses): ReadonlyMap<string, number> =>
  new Map([...after].map(([name, { cpuMs }]) => [name, cpuMs - (before.get(name)?.cpuMs ?? 0)]));
