import {
  SUPPLIER_ORDER_OBSERVED,
  type SupplierOrderObserved,
} from '../../contracts/events/supplier-order-observed.ts';
import type { SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { gatheringFor } from '../gathering.ts';
import { update } from '../store/rows.ts';
import type { Sql } from '../store/store.ts';
import { type PurchasePorts, released } from './purchase-ports.ts';
import { lockPurchases } from './purchase-row.ts';

export interface Observation {
  readonly id: string;
  readonly orderId: string;
  /** Of the supplier order, when the look at it began. */
  readonly state: SupplierOrderStateName;
  /** Units of its parcels are the order's. */
  readonly seen: Pick<SupplierOrderObserved, 'status' | 'parcels' | 'evidence' | 'attention' | 'isAttentive'>;
  /** Of what was seen: the same is told once. */
  readonly fingerprint: string;
}

const remembering = update(
  'supplier_orders',
  { id: 'text', observation: 'text' },
  'observation = d.observation, observations = o.observations + 1',
  'o.id = d.id and o.observation is distinct from d.observation returning o.id, o.observations',
);

/** Reasons that a payment waits for, whoever makes it. */
const PAYMENT_HOLDS = ['payment_pending', 'insufficient_funds', 'cost_above_cap', 'outcome_unknown'] as const;

/**
 * Orders that waited for their money and got it, from us or by hand on the supplier's site: the ledger needs no further
 * look at them.
 */
const settlePaidElsewhere = async (sql: Sql, told: readonly Observation[]): Promise<void> => {
  const paid = told.filter(({ seen }) => seen.status !== 'cancelled');
  if (paid.length === 0) return;
  await sql.run(
    `update purchase_intents set state = 'done', updated_at = now()
      where supplier_order_id = any($1::text[]) and kind = 'pay' and state in ('calling', 'unknown')`,
    [paid.map(({ id }) => id)],
  );
};

/** Says to the orders what is new of their purchases, in one transaction with all that is seen at the same time. */
export const tellObserved = gatheringFor(
  async (
    { store, bus }: PurchasePorts,
    observations: readonly Observation[],
  ): Promise<readonly undefined[]> => {
    // Of two looks at one order in a round the later one counts.
    const latest = new Map(observations.map((observation) => [observation.id, observation]));
    await commitAndPublish(store, bus, async (sql, say) => {
      await lockPurchases(sql, [...latest.keys()]);
      const rows = [...latest.values()].map(({ id, fingerprint }) => ({ id, observation: fingerprint }));
      const counted = await sql.query<{ id: string; observations: number }>(remembering('$1'), [
        JSON.stringify(rows),
      ]);
      const waited: Observation[] = [];
      for (const { id, observations: count } of counted) {
        const told = latest.get(id);
        if (told === undefined) continue;
        const { orderId, state, seen } = told;
        const data: SupplierOrderObserved = { orderId, supplierOrderId: id, ...seen };
        const messageId = `${id}:observed:${count}`;
        say(eventRow({ messageId, source: '/suppliers', type: SUPPLIER_ORDER_OBSERVED, orderId, data }));
        if (state !== 'awaiting_payment' || seen.status === 'awaiting_payment') continue;
        waited.push(told);
        // A hold that is just being raised is not in the table yet; a release that finds none changes nothing.
        for (const reason of PAYMENT_HOLDS) say(released({ id, orderId }, reason, 'paid'));
      }
      await settlePaidElsewhere(sql, waited);
    });
    return observations.map(() => undefined);
  },
);
