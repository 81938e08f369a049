import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SupplierName } from '../../contracts/vocabulary.ts';
import type { Sql } from '../store/store.ts';
import type { TakeCallTurn } from './adapter-parts.ts';

/** Another copy's turn ends when its answer is there: it is asked for so often. */
const LOOK_AGAIN_MS = 50;

/** From the taking of a turn to the sending within it, and from the answer to its end. */
const BESIDE_CALL_MS = 5_000;

/**
 * One call at a time over all copies. A turn that is not ended, because its copy died or stands still, is over when its
 * call would have been given up, and its own copy sends nothing any more then.
 * @param callMs for which a call waits for its answer.
 */
export const createCallTurns =
  (sql: Sql, supplier: SupplierName, callMs: number): TakeCallTurn =>
  async (distanceMs, signal) => {
    const name = randomUUID();
    const holdMs = callMs + BESIDE_CALL_MS;
    for (;;) {
      signal.throwIfAborted();
      const lostAt = performance.now() + BESIDE_CALL_MS;
      const [row] = await sql.query<{ isMine: boolean; waitMs: number }>(
        `with mine as (
           update supplier_accounts set turn_of = $2, turn_until = now() + $3::float8 * interval '1 millisecond'
            where supplier = $1 and turn_until <= now() returning supplier
         )
         select exists (select 1 from mine) as "isMine",
                (extract(epoch from turn_until - now()) * 1000)::float8 as "waitMs"
           from supplier_accounts where supplier = $1`,
        [supplier, name, holdMs],
      );
      if (row?.isMine === true)
        return {
          isLost: () => performance.now() > lostAt,
          async end(sentAt) {
            const restMs = sentAt === null ? 0 : Math.max(0, sentAt + distanceMs - performance.now());
            await sql.run(
              `update supplier_accounts set turn_of = null, turn_until = now() + $3::float8 * interval '1 millisecond'
                where supplier = $1 and turn_of = $2`,
              [supplier, name, restMs],
            );
          },
        };
      await sleep(Math.min(LOOK_AGAIN_MS, Math.max(1, row?.waitMs ?? LOOK_AGAIN_MS)), undefined, { signal });
    }
  };
