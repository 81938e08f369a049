import { DAY_MS } from '../../contracts/durations.ts';
import type { SupplierOrderObserved } from '../../contracts/events/supplier-order-observed.ts';
import type { SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import type { Store } from '../store/store.ts';
import { lockPurchases } from './purchase-row.ts';
import type { Observation } from './tell-observed.ts';

/**
 * Begins what is remembered in the place of a fingerprint while the supplier shows nothing of an order: since when, and
 * whether that was told.
 */
const UNSEEN = 'unseen ';
/** An order that is not shown for so long will hardly be shown by itself: its account may be another one by now. */
const LOST_AFTER_MS = DAY_MS;
const TOLD = ' told';

/** SQL: how long the supplier has shown nothing of the order `o`; null: it did, the last time. */
export const UNSEEN_MS = `case when o.observation like '${UNSEEN}%'
            then extract(epoch from now())::float8 * 1000 - split_part(o.observation, ' ', 2)::float8 end`;

/** Of orders that were shown the last time. */
export const rememberUnseen = (store: Store, unseen: readonly { readonly id: string }[]): Promise<void> =>
  store.transaction(async (sql) => {
    const ids = unseen.map(({ id }) => id);
    await lockPurchases(sql, ids);
    await sql.run(
      `update supplier_orders
          set observation = '${UNSEEN}' || (extract(epoch from now()) * 1000)::bigint
        where id = any($1::text[]) and coalesce(observation, '') not like '${UNSEEN}%' and next_check_at is not null`,
      [ids],
    );
  });

const NOT_SHOWN =
  'the supplier has told nothing about it for a day: look at it on its site, and whether this account may still read it';

interface Unseen extends Pick<Observation, 'id' | 'orderId' | 'state'> {
  readonly reference: string;
  readonly observation: string | null;
  readonly unseenMs: number | null;
}

/**
 * What a person has to see to, of a bought order on its way that its supplier has told nothing about for too long; null:
 * nothing yet.
 */
export function lossOf({ id, orderId, state, reference, observation, unseenMs }: Unseen): Observation | null {
  if (unseenMs === null || unseenMs <= LOST_AFTER_MS || observation?.endsWith(TOLD) === true) return null;
  const evidence = { supplierReference: reference, cause: NOT_SHOWN };
  const seen: Observation['seen'] = {
    status: statusIn(state),
    parcels: [],
    evidence,
    attention: { reason: 'operator', evidence },
    isAttentive: true,
  };
  return { id, orderId, state, seen, fingerprint: `${observation}${TOLD}` };
}

/** What was known before, as the state of the supplier order has it. */
export const statusIn = (state: SupplierOrderStateName): SupplierOrderObserved['status'] =>
  state === 'awaiting_payment' || state === 'shipped' || state === 'delivered' || state === 'cancelled'
    ? state
    : 'processing';
