import { readFileSync } from 'node:fs';
import type { Client } from 'pg';

/** Has PostgreSQL write each statement with its duration into its log, which costs some time itself. */
export async function logStatements(database: Client): Promise<void> {
  await database.query('alter system set log_min_duration_statement = 0');
  await database.query('select pg_reload_conf()');
}

const LINE = /duration: ([\d.]+) ms {2}(parse|bind|execute|statement)\b[^:]*: (.*)/;

/**
 * Sums up what the log holds by statement: how often it was executed and how long that took with parsing and planning.
 * @param from where in the file to begin, in bytes. @returns lines of text, the dearest statement first.
 */
export function dearestStatements(logFile: string, from: number, orders: number): string[] {
  const sums = new Map<string, { ms: number; count: number }>();
  for (const line of readFileSync(logFile).subarray(from).toString('utf8').split('\n')) {
    const found = LINE.exec(line);
    if (found === null) continue;
    const [, ms, step, text = ''] = found;
    const key = text.replace(/\s+/g, ' ').slice(0, 110);
    const sum = sums.get(key) ?? { ms: 0, count: 0 };
    sum.ms += Number(ms);
    if (step === 'execute' || step === 'statement') sum.count += 1;
    sums.set(key, sum);
  }
  return [...sums]
    .sort(([, a], [, b]) => b.ms - a.ms)
    .slice(0, 40)
    .map(
      ([text, { ms, count }]) =>
        `${(ms / orders).toFixed(2).padStart(8)} ms ${(count / orders).toFixed(2).padStart(7)} times  ${text}`,
    );
}
