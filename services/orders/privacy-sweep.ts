import type { Settings } from '../../contracts/settings.ts';
import type { Logger } from '../logger.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import { emptyOldBodies, eraseOld, eraseRound } from '../store/privacy.ts';
import type { Store } from '../store/store.ts';

type Ages = Pick<Settings, 'ORDER_MANAGER_RETENTION_DAYS' | 'ORDER_MANAGER_WEBHOOK_DAYS'>;

const EVERY_MS = 15_000;

/**
 * Forgets who asked for it as soon as their order has ended, and everybody after the set time, in batches. Each is one
 * transaction: a crash leaves nothing half-erased, and several copies do each other no harm.
 */
export const startPrivacySweep = (store: Store, settings: Ages, log: Logger): Periodic =>
  startPeriodic('privacy sweep', EVERY_MS, log, async () => {
    const { ORDER_MANAGER_RETENTION_DAYS: orderDays, ORDER_MANAGER_WEBHOOK_DAYS: bodyDays } = settings;
    const asked = await eraseRound(store);
    const old = orderDays === 0 ? 0 : await eraseOld(store, orderDays);
    const bodies = bodyDays === 0 ? 0 : await emptyOldBodies(store, bodyDays);
    if (asked + old > 0) log.info({ asked, old }, 'customers were erased from their orders');
    return asked + old + bodies > 0 ? 'more' : 'idle';
  });
