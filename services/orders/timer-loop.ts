import { TIMER_ELAPSED, TimerElapsed, timerKey } from '../../contracts/deadlines.ts';
import type { Bus } from '../bus/bus.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import type { Logger } from '../logger.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import type { Store } from '../store/store.ts';
import { claimDue } from '../store/timers.ts';

const LIMIT = 256;
/** How late a timer may be; what is due at once wakes the loop. */
const LOOK_EVERY_MS = 250;

/** Turns due timers into events of their orders. Any number of copies may run it. */
export const startTimerLoop = (store: Store, bus: Bus, log: Logger): Periodic =>
  startPeriodic('timers', LOOK_EVERY_MS, log, async () => {
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
          say(eventRow({ messageId, source: '/orders', type: TIMER_ELAPSED, orderId, data, traceparent }));
        }
        return due.length;
      },
      'timers: after commit before publish',
    );
    return claimed === LIMIT ? 'more' : 'idle';
  });
