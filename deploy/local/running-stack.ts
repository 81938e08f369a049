import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { identify, isAlive, KnownProcess } from './process-claim.ts';

/** Where `npm start` keeps its data unless it is told another folder. */
export const DEFAULT_DATA_DIR = fileURLToPath(new URL('../../.data/local', import.meta.url));

const RunningStack = z.object({
  owner: KnownProcess,
  addresses: z.object({ DB_CONNECTION_STRING: z.string(), NATS_URL: z.string() }),
  /** The variables that lead to the sandbox's shop; empty while the stack works for a real one. */
  shop: z.record(z.string(), z.string()),
});
export type StackAddresses = Omit<z.infer<typeof RunningStack>, 'owner'>;

const fileIn = (dataDir: string): string => join(dataDir, 'running.json');

export const forgetRunningStack = (dataDir: string): void => rmSync(fileIn(dataDir), { force: true });

/** Tells the commands of an operator where the stack of this process is. It holds logins: only its owner may read it. */
export function noteRunningStack(dataDir: string, { addresses, shop }: StackAddresses): void {
  // A mode is given to new files only.
  forgetRunningStack(dataDir);
  const text = JSON.stringify({ owner: identify(process.pid), addresses, shop });
  writeFileSync(fileIn(dataDir), text, { mode: 0o600, flag: 'wx' });
}

/** The local stack that runs on that folder; null when there is none, or it was killed and its ports may be others'. */
export function findRunningStack(dataDir: string): StackAddresses | null {
  try {
    const stack = RunningStack.parse(JSON.parse(readFileSync(fileIn(dataDir), 'utf8')));
    return isAlive(stack.owner) ? stack : null;
  } catch {
    return null;
  }
}
