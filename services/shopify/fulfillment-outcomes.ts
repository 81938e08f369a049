import type { FulfillParcel } from '../../contracts/commands/fulfill-parcel.ts';
import {
  FULFILLMENT_SYNCED,
  FULFILLMENT_WITHHELD,
  type FulfillmentSynced,
  type FulfillmentWithheld,
} from '../../contracts/events/fulfillment-outcome.ts';
import type { Evidence, HoldReason } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { gatheringFor } from '../gathering.ts';
import { DONE } from '../serve-commands.ts';
import type { OutboxRow } from '../store/outbox.ts';
import { updateRows } from '../store/rows.ts';
import type { ShopPorts } from './shop-ports.ts';

/** What became of showing a parcel. */
export interface Outcome {
  readonly id: string;
  /** Null: nothing was tried, and what was in doubt stays so. */
  readonly state: 'unknown' | 'done' | 'withheld' | null;
  readonly doubt?: Record<string, number>;
  readonly fulfillment_id?: string;
  /** The only one under `number`, which the parcel has had when it was shown. */
  readonly is_sole?: boolean;
  readonly number?: string;
  readonly last_mile?: string | null;
  /** What the shop shows of it now and has left no more: another parcel in doubt is not to look for a stranger. */
  readonly units?: Readonly<Record<string, number>>;
  readonly event?: OutboxRow;
}
const OUTCOME = {
  id: 'text',
  state: 'text',
  doubt: 'json',
  fulfillment_id: 'text',
  is_sole: 'boolean',
  number: 'text',
  last_mile: 'text',
  units: 'json',
};

/**
 * Of what was there to be fulfilled when others of the order fell into doubt, once for each parcel: before it is written
 * down as done. One of an order at a time: it has the lease.
 */
const TAKEN = `
  update parcels p set fulfillment_doubt =
         (select json_object_agg(key, greatest(0, value::int - coalesce((d.units ->> key)::int, 0)))
            from json_each_text(p.fulfillment_doubt))
    from json_to_recordset($1::json) as d(id text, units json) join parcels o on o.id = d.id
   where p.order_id = o.order_id and p.id <> o.id and p.fulfillment_doubt is not null
     and o.fulfillment_state is distinct from 'done'`;

/** Parcels whose outcome is known at the same time are one commit, each with its event. */
export const record = gatheringFor(async ({ store, bus }: ShopPorts, outcomes: readonly Outcome[]) => {
  // One statement cannot touch a row twice: what came last counts, as it would in statements of their own.
  const last = new Map(outcomes.map(({ event: _event, ...row }) => [row.id, row]));
  await commitAndPublish(
    store,
    bus,
    async (sql, say) => {
      const taking = [...last.values()].filter(({ units }) => units !== undefined);
      if (taking.length > 0) await sql.run(TAKEN, [JSON.stringify(taking)]);
      await updateRows(
        sql,
        'parcels',
        OUTCOME,
        [...last.values()],
        `fulfillment_state = d.state, updated_at = now(),
         fulfillment_doubt = case when d.state is null then o.fulfillment_doubt else d.doubt end,
         shop_fulfillment_id = coalesce(d.fulfillment_id, o.shop_fulfillment_id),
         is_sole_fulfillment = coalesce(d.is_sole and o.tracking_number = d.number, false),
         shown_last_mile = case when d.state = 'done' then d.last_mile else o.shown_last_mile end`,
        // A copy that stood still knows less than the one that has shown the parcel since.
        `o.id = d.id and (d.state in ('done', 'withheld') or o.fulfillment_state is distinct from 'done')`,
      );
      for (const { event } of outcomes) if (event !== undefined) say(event);
    },
    ...(outcomes.some(({ state }) => state === 'done')
      ? ['fulfil: after record before publish' as const]
      : []),
  );
  return outcomes.map(() => true);
});

/** One for each fulfilment: a parcel whose fulfilment was cancelled in the shop may get another. */
export const synced = (data: FulfillmentSynced): OutboxRow =>
  eventRow({
    messageId: `${data.parcelId}:synced:${data.shopFulfillmentId ?? ''}`,
    source: '/shopify',
    type: FULFILLMENT_SYNCED,
    data,
  });

/** Tells that a person has to look before the shop shows the parcel. */
export async function withhold(
  ports: ShopPorts,
  { orderId, supplierOrderId, parcelId }: FulfillParcel,
  commandId: string,
  reason: HoldReason,
  evidence: Evidence,
  undone: Pick<FulfillmentWithheld, 'undoneFulfillmentId'> = {},
): Promise<CommandResult> {
  const data: FulfillmentWithheld = { orderId, supplierOrderId, parcelId, reason, evidence, ...undone };
  await record(ports, {
    id: parcelId,
    state: 'withheld',
    event: eventRow({
      messageId: `${parcelId}:withheld:${commandId}`,
      source: '/shopify',
      type: FULFILLMENT_WITHHELD,
      data,
    }),
  });
  return DONE;
}

const UNDONE =
  'the fulfilment of this parcel was cancelled in the shop while the parcel is on its way: released, it is shown there again';

/** Whether it was told before that this fulfilment of the parcel was cancelled: it is told once. */
export async function isToldUndone(
  { store }: ShopPorts,
  { supplierOrderId }: Pick<FulfillParcel, 'supplierOrderId'>,
  fulfillmentId: string,
): Promise<boolean> {
  const [hold] = await store.query(
    `select 1 from holds where supplier_order_id = $1 and evidence ->> 'cause' = $2 and evidence ->> 'fulfillmentId' = $3`,
    [supplierOrderId, UNDONE, fulfillmentId],
  );
  return hold !== undefined;
}

/**
 * Under the order's lease: tells that the fulfilment which showed a parcel, or a part of it, was cancelled in the shop. The
 * parcel is shown again when a person releases it.
 */
export const withholdUndone = (
  ports: ShopPorts,
  parcel: FulfillParcel & { readonly trackingNumber: string },
  undoneFulfillmentId: string,
): Promise<CommandResult> =>
  withhold(
    ports,
    parcel,
    undoneFulfillmentId,
    'fulfillment_not_ours',
    {
      cause: UNDONE,
      trackingNumber: parcel.trackingNumber,
      fulfillmentId: undoneFulfillmentId,
    },
    { undoneFulfillmentId },
  );
