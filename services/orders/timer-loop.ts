import { TIMER_ELAPSED, TimerElapsed, timerKey } from '../../contracts/deadlines.ts';
import type { Bus } from '../bus/bus.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import type { Logger } from '../logger.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import type { Store } from '../store/store.ts';
import { claimDue, isAnyDue } from '../store/timers.ts';

const LIMIT = 256;
/** How late a timer may be; what is due at once wakes the loop. */
const LOOK_EVERY_MS = 250;
/** Events waiting to be stepped from which on no more are made: enough for several batches of the host. */
const FAR_BEHIND = 2_048;

/**
 * Turns due timers into events of their orders. Any number of copies may run it. While much waits to be stepped, or
 * nothing can be published or read, timers wait in their table: as events they would elapse again before the first was read.
 * @param eventsBehind what the partitions that this copy reads have still to step: a fair sample of all.
 */
export const startTimerLoop = (store: Store, bus: Bus, log: Logger, eventsBehind: () => number): Periodic =>
  startPeriodic('timers', LOOK_EVERY_MS, log, async () => {
    if (!bus.isConnected() || eventsBehind() >= FAR_BEHIND || !(await isAnyDue(store))) return 'idle';
    const claimed = await commitAndPublish(
      store,
      bus,
      async (sql, say) => {
        const due = await claimDue(sql, LIMIT);
        for (const { orderId, deadline, supplierOrderId, parcelId, setting, attempt, traceparent } of due) {
          const parsed = TimerElapsed.safeParse({
            orderId,
            deadline,
            ...(supplierOrderId === null ? {} : { supplierOrderId }),
            ...(parcelId === null ? {} : { parcelId }),
          });
          // Set by a newer copy of this service: it comes again, and its neighbours go on.
          if (!parsed.success) {
            log.error({ orderId, deadline }, 'a timer with an unknown deadline');
            continue;
          }
          const { data } = parsed;
          const messageId = `tmr:${orderId}:${timerKey(data)}:${setting}:${attempt}`;
          say(eventRow({ messageId, source: '/orders', type: TIMER_ELAPSED, data, traceparent }));
        }
        return due.length;
      },
      'timers: after commit before publish',
    );
    return claimed === LIMIT ? 'more' : 'idle';
  });
