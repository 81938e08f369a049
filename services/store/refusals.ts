import { gauge } from '../figures.ts';
import { codeOf } from './server-code.ts';

const REASONS = ['disk_full', 'disk_fails', 'no_memory', 'too_many_connections', 'read_only'] as const;
type Reason = (typeof REASONS)[number];

interface Refusal {
  /** What the server itself lacks, which a person has to give it; the others pass. */
  readonly reason?: Reason;
  readonly means: string;
}

/** What a server means that is there and answers, by its code. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  '53100': { reason: 'disk_full', means: 'the disk of PostgreSQL is full' },
  '53200': { reason: 'no_memory', means: 'PostgreSQL has no memory left' },
  '53300': { reason: 'too_many_connections', means: 'PostgreSQL takes no more connections: max_connections' },
  '25006': { reason: 'read_only', means: 'PostgreSQL takes no writes: a standby, or set to be read only' },
  '55P03': { means: 'somebody holds a lock: pg_stat_activity shows who' },
  '57014': { means: 'the statement took too long, or was cancelled by hand' },
  '58030': {
    reason: 'disk_fails',
    means: 'PostgreSQL cannot read or write a file: its disk fails, or a quota is used up',
  },
  '57P03': { means: 'PostgreSQL is starting or stopping' },
};

/** In words, for the log; undefined for what says nothing about the server. */
export const meaningOf = (error: Error): string | undefined => REFUSALS[codeOf(error) ?? '']?.means;

/** Whoever is refused tries again within seconds. */
const LATELY_MS = 15_000;
const refusedAt = new Map<Reason, number>();

/** Remembers why a statement or a connection was refused, if it says something about the server. */
export function noteRefusal(error: unknown): void {
  const code = (error instanceof Error ? codeOf(error) : undefined) ?? '';
  const { reason } = REFUSALS[code] ?? {};
  if (reason !== undefined) refusedAt.set(reason, performance.now());
}

/** Whether this process was refused for that a moment ago. */
export const isRefusedLately = (reason: Reason): boolean =>
  performance.now() - (refusedAt.get(reason) ?? Number.NEGATIVE_INFINITY) < LATELY_MS;

gauge(
  { name: 'database_refuses', help: '1 while PostgreSQL answers this process, and refuses it for that' },
  { reason: REASONS },
  (set) => {
    for (const reason of REASONS) set({ reason }, isRefusedLately(reason) ? 1 : 0);
  },
);
