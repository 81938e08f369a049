import {
  SUPPLIER_ORDER_OBSERVED,
  type SupplierOrderObserved,
} from '../../contracts/events/supplier-order-observed.ts';
import type { SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { gatheringFor } from '../gathering.ts';
import { update } from '../store/rows.ts';
import { settleShownPaid } from './ledger.ts';
import { PAYMENT_HOLDS, type PurchasePorts, released } from './purchase-ports.ts';
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
      const paidIds: string[] = [];
      for (const { id, observations: count } of counted) {
        const told = latest.get(id);
        if (told === undefined) continue;
        const { orderId, state, seen } = told;
        const data: SupplierOrderObserved = { orderId, supplierOrderId: id, ...seen };
        const messageId = `${id}:observed:${count}`;
        say(eventRow({ messageId, source: '/suppliers', type: SUPPLIER_ORDER_OBSERVED, data }));
        if (state !== 'awaiting_payment' || seen.status === 'awaiting_payment') continue;
        if (seen.status !== 'cancelled') paidIds.push(id);
        // A hold that is just being raised is not in the table yet; a release that finds none changes nothing.
        for (const reason of PAYMENT_HOLDS) say(released({ id, orderId }, reason, 'paid'));
      }
      if (paidIds.length > 0) await settleShownPaid(sql, paidIds);
    });
    return observations.map(() => undefined);
  },
);
