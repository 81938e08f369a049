import { writeFile } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** As `nice` counts: a third of what others get where all want a processor, and all of it where nobody does. */
const NICER = 5;
const NICEST = 19;

/** Linux lets an ordinary user weigh one session each 100 ms. */
const BETWEEN_MS = 110;
const TRIES = 50;

const isTooSoon = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EAGAIN';

/**
 * Lets others go before a process that was started a moment ago, as long as it has no threads that have a weight already.
 * Where Linux weighs sessions before it weighs the processes in them (autogroup), its session too. No more than a wish:
 * where it cannot be had, or the process has ended, all goes on as before.
 */
export async function letOthersGoFirst(pid: number): Promise<void> {
  try {
    setPriority(pid, Math.min(getPriority(pid) + NICER, NICEST));
    for (let tries = 1; ; tries += 1) {
      try {
        await writeFile(`/proc/${pid}/autogroup`, String(NICER), { flag: 'r+' });
        return;
      } catch (error) {
        if (!isTooSoon(error) || tries === TRIES) return;
      }
      await delay(BETWEEN_MS);
    }
  } catch {
    // Nobody waits for it.
  }
}
