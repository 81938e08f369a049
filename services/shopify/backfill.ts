import { DAY_MS } from '../../contracts/durations.ts';
import { COUNT_ORDERS, CountOrdersAnswer } from './order-operations.ts';
import type { Ask } from './read-work.ts';
import { isNotUnderstood } from './shop-error.ts';
import { WHO_AM_I, WhoAmIAnswer } from './shop-operations.ts';
import type { ShopPorts } from './shop-ports.ts';
import { changedSince, sweepOrders } from './sweep-orders.ts';

/** What the shop shows to an app without `read_all_orders`. */
const WINDOW_DAYS = 60;

export interface BackfillProgress {
  /** Orders that the shop counts from the beginning, or from where the last run stopped; those seen, if they are more. */
  readonly total: number;
  readonly seen: number;
  /** Of those, the ones that we did not know as they are now, and took in. */
  readonly told: number;
}

export interface BackfillPlan {
  /** Where it begins: `since`, or the mark of a run that was stopped. */
  readonly from: Date;
  /** Null where the shop does not count. */
  readonly total: number | null;
  /** The earliest day that the shop shows, when `since` lies before it. */
  readonly hiddenBefore: Date | null;
}

const nameOf = (shop: string, since: Date): string => `backfill:${shop}:${since.toISOString()}`;

/** Looks what a backfill would bring, without bringing anything. Throws ShopError when the shop cannot be read. */
export async function planBackfill(
  { store }: ShopPorts,
  ask: Ask,
  shop: string,
  since: Date,
): Promise<BackfillPlan> {
  const [row] = await store.query<{ mark: Date }>(
    `insert into shop_sweeps (name, mark) values ($1, $2::timestamptz)
     on conflict (name) do update
       set mark = case when shop_sweeps.ended_at is null then shop_sweeps.mark else excluded.mark end,
           ended_at = null
     returning mark`,
    [nameOf(shop, since), since.toISOString()],
  );
  const from = new Date(row?.mark ?? since);
  const total = await ask(COUNT_ORDERS, { query: changedSince(from) }, CountOrdersAnswer).then(
    ({ ordersCount }) => ordersCount?.count ?? 0,
    (error: unknown) => {
      if (isNotUnderstood(error)) return null;
      throw error;
    },
  );
  const { accessScopes } = (await ask(WHO_AM_I, {}, WhoAmIAnswer)).currentAppInstallation;
  const seesAll = accessScopes.some(({ handle }) => handle === 'read_all_orders');
  const window = new Date(Date.now() - WINDOW_DAYS * DAY_MS);
  return {
    from,
    total,
    hiddenBefore: !seesAll && since < window ? window : null,
  };
}

async function markOf({ store }: ShopPorts, name: string): Promise<Date> {
  const [row] = await store.query<{ mark: Date }>('select mark from shop_sweeps where name = $1', [name]);
  return new Date(row?.mark ?? 0);
}

/**
 * Brings in what the shop knows since a day. Nobody is mailed about it. A run that was stopped goes on where it was;
 * one that is through begins anew. Throws ShopError when the shop cannot be read.
 */
export async function backfill(
  ports: ShopPorts,
  ask: Ask,
  shop: string,
  since: Date,
  plan: BackfillPlan,
  onProgress: (progress: BackfillProgress) => void,
): Promise<BackfillProgress> {
  const name = nameOf(shop, since);
  const sweep = { name, shop, isHistory: true };
  let progress: BackfillProgress = { total: plan.total ?? 0, seen: 0, told: 0 };
  const begun = Date.now();
  // What changes while it runs is told by webhooks.
  for (let from = plan.from; ; ) {
    await sweepOrders(ports, ask, sweep, from, ({ seen, told, later }) => {
      // Those of the very mark were seen by the search before.
      const isAgain = from > plan.from;
      const added = isAgain ? later : seen;
      if (isAgain && added === 0) return;
      const seenNow = progress.seen + added;
      progress = {
        total: Math.max(progress.total, seenNow),
        seen: seenNow,
        told: progress.told + Math.min(told, added),
      };
      onProgress(progress);
    });
    const mark = await markOf(ports, name);
    if (mark <= from || mark.getTime() >= begun) break;
    from = mark;
  }
  await ports.store.run('update shop_sweeps set ended_at = now() where name = $1', [name]);
  return progress;
}
