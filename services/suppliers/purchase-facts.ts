import { gatheringFor } from '../gathering.ts';
import { markOf } from '../order-facts.ts';
import type { ServiceContext } from '../run-service.ts';
import {
  type BesideRestoration,
  besideRestoration,
  livedThrough,
  type Restoration,
} from '../store/restorations.ts';
import type { Sql } from '../store/store.ts';
import { callPauseOf } from './account.ts';
import type { Recipient } from './adapter.ts';
import { ENDED_BEFORE, type EndedPurchase } from './living-again.ts';
import { PURCHASE_COLUMNS, type PurchaseRow } from './purchase-row.ts';
import { type CustomerRow, customerOf, toRecipient } from './recipient.ts';

/** Any hold stops all of an order; where part of it may be bought, those on other parts of it do not. */
const STOPS = `h.order_id = o.order_id and h.released_at is null
  and ((h.line_id is null and coalesce(h.supplier_order_id, o.id) = o.id) or not exists (
        select 1 from orders w where w.id = o.order_id and (w.context -> 'rules' ->> 'partialPurchase')::boolean))`;

export interface PurchaseLine {
  readonly lineId: string;
  /** Of the order line. */
  readonly units: number;
  readonly supplierProductId: string;
  /** Empty until the purchase is quoted. */
  readonly supplierVariantId: string;
  /** As its mapping names it. */
  readonly mappedVariantId: string;
  readonly supplierUnits: number;
  /** By which the variant is found. */
  readonly properties: Readonly<Record<string, string>>;
  /** A person asked for it, and no plan. */
  readonly isByHand: boolean;
}

/** A purchase with all that the decision to make it is about. */
export interface PurchaseFacts {
  readonly row: PurchaseRow;
  /** An open hold stops it: it stays where it is, and nothing is spent on it. */
  readonly isHeld: boolean;
  /** It is being given up: nothing more may be bought under it, though what was bought is still found out. */
  readonly isUnwanted: boolean;
  readonly lines: readonly PurchaseLine[];
  /** Undefined when the order has no address to ship to. */
  readonly recipient: Recipient | undefined;
  /** Of that address, as order bodies mark theirs. */
  readonly shipToMark: string | undefined;
}

/** Its articles, method and cost were found for the address that its order has now. */
export const isQuotedForHere = ({ row, shipToMark }: Pick<PurchaseFacts, 'row' | 'shipToMark'>): boolean =>
  row.isQuoted && (row.quotedFor === null || row.quotedFor === shipToMark);

/** A purchase with what also has to be known before its supplier is called. */
export interface PurchaseNow extends PurchaseFacts {
  /** Until the supplier takes calls again. */
  readonly callPauseMs: number;
  /** The restoration that its order lived through, if there was one. */
  readonly restoration: Restoration | undefined;
  /** Purchases of the same lines that are over, as far as anybody knows. */
  readonly ended: readonly EndedPurchase[];
}

type FactsRow = PurchaseRow &
  Pick<PurchaseFacts, 'isHeld' | 'isUnwanted' | 'lines'> & { readonly customer: CustomerRow | null };

const selectFacts = (more = ''): string =>
  `select ${PURCHASE_COLUMNS}, exists (select 1 from holds h where ${STOPS}) as "isHeld",
          context ->> 'unwantedBy' is not null as "isUnwanted",
          (select coalesce(json_agg(json_build_object(
                    'lineId', line_id, 'units', units, 'supplierProductId', supplier_product_id,
                    'supplierVariantId', supplier_variant_id, 'supplierUnits', supplier_units,
                    'mappedVariantId', coalesce(mapped_variant_id, supplier_variant_id),
                    'properties', coalesce(properties, '{}'), 'isByHand', properties is not null)
                    order by line_id, units desc, supplier_product_id, supplier_variant_id), '[]')
             from supplier_order_lines l where l.supplier_order_id = o.id) as lines,
          ${customerOf('o.order_id')} as customer ${more}
     from supplier_orders o where o.id = any($1::text[])`;

const toFacts = ({ isHeld, isUnwanted, lines, customer, ...row }: FactsRow): PurchaseFacts => ({
  row,
  isHeld,
  isUnwanted,
  lines,
  recipient: customer === null ? undefined : toRecipient(customer),
  shipToMark: customer?.address == null ? undefined : markOf(row.orderId, customer.address),
});

/**
 * By id. Under a lock it has to be another statement than the one that waited for it: that one would not see the holds
 * which the host raised meanwhile.
 */
export async function readFacts(
  sql: Sql,
  supplierOrderIds: readonly string[],
): Promise<ReadonlyMap<string, PurchaseFacts>> {
  const rows = await sql.query<FactsRow>(selectFacts(), [supplierOrderIds]);
  return new Map(rows.map((row) => [row.id, toFacts(row)]));
}

/** The purchase as it stands, read together with whatever else is asked for at the same time. */
export const factsNow = gatheringFor(
  async (
    { store }: Pick<ServiceContext, 'store'>,
    supplierOrderIds: readonly string[],
  ): Promise<(PurchaseNow | undefined)[]> => {
    const rows = await store.query<
      FactsRow & {
        readonly callPauseMs: number;
        readonly beside: BesideRestoration | null;
        readonly ended: readonly EndedPurchase[] | null;
      }
    >(
      selectFacts(
        `, ${callPauseOf('o.supplier')} as "callPauseMs", ${besideRestoration('o.order_id')} as beside,
          ${ENDED_BEFORE} as ended`,
      ),
      [supplierOrderIds],
    );
    const facts = new Map(
      rows.map(({ callPauseMs, beside, ended, ...row }) => [
        row.id,
        { ...toFacts(row), callPauseMs, restoration: livedThrough(beside), ended: ended ?? [] },
      ]),
    );
    return supplierOrderIds.map((id) => facts.get(id));
  },
);
