import { spawnSync } from 'node:child_process';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { isOutage } from '../../services/store/outage.ts';
import { meaningOf } from '../../services/store/refusals.ts';
import { startOwnPostgres } from '../fixtures/own-postgres.ts';

const hasLimits = spawnSync('prlimit', ['--version']).error === undefined;

test.runIf(hasLimits)(
  'a file that PostgreSQL may not let grow is an outage, whatever code that comes with',
  { timeout: 60_000 },
  async () => {
    const postgres = await startOwnPostgres();
    onTestFinished(() => postgres.remove());
    const client = new Client({ connectionString: postgres.connectionString });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('create table growing (text text)');
    // Its own shell knows the process that serves this connection; the log of changes keeps room enough.
    await client.query(`copy (select 1) to program 'prlimit --pid $PPID --fsize=17825792'`);
    const refused: unknown = await client
      .query(`insert into growing select repeat('x', 1000) from generate_series(1, 30000)`)
      .catch((error: unknown) => error);
    if (!(refused instanceof Error)) throw new Error('the file could grow');
    expect(isOutage(refused)).toBe(true);
    expect(meaningOf(refused)).toMatch(/its disk fails/);
  },
);
