import type { Store } from '../store/store.ts';
import { lookAtHeld } from './look-at-held.ts';
import { underLease } from './order-lease.ts';
import { asking } from './read-work.ts';
import { releaseRefused } from './release-refused.ts';
import type { ShopPorts } from './shop-ports.ts';
import { type PageDone, sweepOrders } from './sweep-orders.ts';

/** The shop's index lags, and rows move while they are read: each sweep looks again at the end of the one before. */
const OVERLAP_MS = 10 * 60_000;

interface Round {
  readonly mark: string;
  /** By the database's clock, as the holds that it is compared with. */
  readonly began: string;
}

/**
 * Up to where a round of this process came that ended on its way. More may change within the overlap than one round can
 * read, and none would come behind it if each began there anew.
 */
const cameTo = new WeakMap<Store, Date>();

/** The first sweep of a shop begins where it starts: what was before is for a backfill, and for a person to want. */
async function beginRound({ store }: ShopPorts, name: string): Promise<{ from: Date; began: Date }> {
  const [row] = await store.query<Round>(
    `insert into shop_sweeps (name, mark) values ($1, now())
     on conflict (name) do update set mark = shop_sweeps.mark returning mark, now() as began`,
    [name],
  );
  if (row === undefined) throw new RangeError(`no mark of ${name}`);
  const mark = new Date(row.mark);
  const overlap = new Date(mark.getTime() - OVERLAP_MS);
  const before = cameTo.get(store) ?? overlap;
  return { from: before > overlap && before < mark ? before : overlap, began: new Date(row.began) };
}

/** Finds the orders, and the end of the shop's holds, that no webhook brought. One round; one copy at a time. */
export async function catchUp(ports: ShopPorts): Promise<'idle'> {
  const { admin, store, settings, log } = ports;
  const shop = settings.SHOPIFY_SHOP_URL;
  if (admin === undefined || shop === undefined) return 'idle';
  const name = `catch-up:${shop}`;
  await underLease(ports, name, async () => {
    const { from, began } = await beginRound(ports, name);
    let told = 0;
    const count = (done: PageDone): void => {
      told += done.told;
      if (done.last !== undefined) cameTo.set(store, done.last);
    };
    const ask = asking(admin, 'read');
    await sweepOrders(ports, ask, { name, shop, isHistory: false }, from, count);
    cameTo.delete(store);
    if (told > 0) log.info({ shop, orders: told }, 'the sweep told what no webhook had told');
    await releaseRefused(ports, began);
    await lookAtHeld(ports, ask, shop, began);
  });
  return 'idle';
}
