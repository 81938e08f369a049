import { RELEASE_REQUESTED, type ReleaseRequested } from '../../contracts/events/release-requested.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import type { ServiceContext } from '../run-service.ts';
import type { Sql } from '../store/store.ts';

const LIMIT = 500;

/** An open hold whose cause is over. */
export interface ReleaseWish {
  readonly holdId: string;
  /** The same for the same opening of the hold: asking twice is asking once. */
  readonly messageId: string;
  readonly data: ReleaseRequested;
}

/**
 * Asks for the release of holds again and again, page by page, each opening once.
 * @param find those whose ids are behind `after`, in the order of their ids, `limit` at most.
 */
export function startReleaseSweep(
  { store, bus, log }: ServiceContext,
  name: string,
  everyMs: number,
  find: (sql: Sql, after: string, limit: number) => Promise<readonly ReleaseWish[]>,
): Periodic {
  /** What is committed is promised: an order that takes its time, or waits behind a dead letter, is not asked again. */
  let asked: ReadonlySet<string> = new Set();
  /** Of this going through all of them: the last hold of the page before, and what stood on all. */
  let after = '';
  let standing: string[] = [];
  return startPeriodic(name, everyMs, log, async () => {
    const page = await find(store, after, LIMIT);
    const fresh = page.filter(({ messageId }) => !asked.has(messageId));
    if (fresh.length > 0)
      await commitAndPublish(store, bus, async (_sql, say) => {
        for (const { messageId, data } of fresh)
          say(eventRow({ messageId, source: '/suppliers', type: RELEASE_REQUESTED, data }));
      });
    standing.push(...page.map(({ messageId }) => messageId));
    if (page.length === LIMIT) {
      after = page.at(-1)?.holdId ?? '';
      return 'more';
    }
    after = '';
    asked = new Set(standing);
    standing = [];
    return 'idle';
  });
}
