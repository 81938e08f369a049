import { StoredCandidates } from '../../contracts/resources/product-mapping.ts';
import type { PreviewSourcing } from '../../contracts/resources/sourcing-preview.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { OrderContext } from '../../machines/order-context.ts';
import type { Sql } from '../store/store.ts';
import { ACCEPTANCES, type Acceptance } from './acceptances.ts';
import type { Wanted, WantedLine } from './plan-sourcing.ts';
import { type CustomerRow, customerOf, toRecipient } from './recipient.ts';
import { REFUSED, type RefusedForLine } from './refused-articles.ts';

interface LineRow {
  readonly lineId: string;
  readonly variantId: string | null;
  readonly sku: string | null;
  readonly isSkuMapped: boolean;
  readonly unitPriceMinor: number;
  readonly candidates: unknown;
  readonly mappedAt: string | null;
}

/** Units of each line that nobody has bought, held ones too. */
export const waitingUnits = ({ lines }: OrderContext): ReadonlyMap<string, number> =>
  new Map(
    Object.entries(lines)
      .map(([lineId, { unallocated, held }]): [string, number] => [lineId, unallocated + held])
      .filter(([, units]) => units > 0),
  );

/** An order with all that planning may have to know of it, as it stood at one moment. */
export interface OrderToSource {
  readonly state: string;
  readonly currency: string;
  readonly totalMinor: number;
  readonly context: OrderContext;
  readonly lines: readonly LineRow[];
  readonly refused: readonly RefusedForLine[];
  /** Null: nothing is known of whoever ordered. */
  readonly customer: CustomerRow | null;
  readonly acceptances: readonly Acceptance[];
}

/** By id; one that is not there is left out. */
export async function readOrdersToSource(
  sql: Sql,
  orderIds: readonly string[],
): Promise<ReadonlyMap<string, OrderToSource>> {
  const rows = await sql.query<OrderToSource & { readonly id: string }>(
    `select o.id, o.state, o.currency, o.total_minor::float8 as "totalMinor", o.context,
            (select coalesce(json_agg(json_build_object('lineId', l.line_id, 'variantId', l.variant_id, 'sku', l.sku,
                      'unitPriceMinor', l.unit_price_minor, 'candidates', m.candidates,
                      'mappedAt', m.updated_at, 'isSkuMapped', m.sku is not null) order by l.position, l.line_id), '[]')
               from order_lines l left join product_mappings m on m.variant_id = l.variant_id
              where l.order_id = o.id) as lines, ${REFUSED} as refused,
            ${customerOf('o.id')} as customer, ${ACCEPTANCES} as acceptances
       from orders o where o.id = any($1::text[])`,
    [orderIds],
  );
  return new Map(rows.map(({ id, ...order }) => [id, order]));
}

/** @param wanted units of the lines that are wanted. */
export function toWanted(order: OrderToSource, wanted: ReadonlyMap<string, number>): Wanted {
  const { currency, totalMinor, context, customer, acceptances } = order;
  const recipient = customer === null ? undefined : toRecipient(customer);
  return {
    lines: order.lines.flatMap((row): WantedLine[] => {
      const units = wanted.get(row.lineId);
      if (units === undefined) return [];
      const refused = order.refused.filter(({ lineId }) => lineId === row.lineId);
      return [{ ...row, units, candidates: StoredCandidates.parse(row.candidates ?? []), refused }];
    }),
    destination: recipient,
    recipient: recipient ?? null,
    sale: {
      currency,
      totalMinor,
      // Of the units that the total is for: what the shop took away since is in neither.
      listMinor: order.lines.reduce(
        (sum, { lineId, unitPriceMinor }) =>
          sum + unitPriceMinor * (context.inShop[lineId]?.units ?? context.lines[lineId]?.ordered ?? 0),
        0,
      ),
    },
    acceptances,
    isPartly: context.rules?.partialPurchase ?? false,
  };
}

/**
 * An order that nobody has made, its lines numbered from 1. A SKU stands for the variant whose mapping names it; of
 * several the first that was mapped last.
 */
export async function readInvented(
  sql: Sql,
  invented: PreviewSourcing,
  { ORDER_MANAGER_PARTIAL_PURCHASE: isPartly }: Settings,
): Promise<Wanted> {
  const { lines, country: countryCode, zip, currency } = invented;
  const rows = await sql.query<{ variantId: string; sku: string | null; candidates: unknown }>(
    `select variant_id as "variantId", sku, candidates from product_mappings
      where variant_id = any($1::text[]) or sku = any($2::text[]) order by updated_at desc, variant_id`,
    [lines.flatMap(({ variantId }) => variantId ?? []), lines.flatMap(({ sku }) => sku ?? [])],
  );
  const wanted = lines.map(({ variantId, sku, units, unitPriceMinor = 0 }, index): WantedLine => {
    const mapping = rows.find((row) =>
      variantId === undefined ? row.sku === sku : row.variantId === variantId,
    );
    return {
      lineId: String(index + 1),
      units,
      variantId: variantId ?? mapping?.variantId ?? null,
      sku: sku ?? mapping?.sku ?? null,
      isSkuMapped: true,
      unitPriceMinor,
      candidates: StoredCandidates.parse(mapping?.candidates ?? []),
    };
  });
  const listMinor = wanted.reduce((sum, { units, unitPriceMinor }) => sum + units * unitPriceMinor, 0);
  const isPriced = lines.every(({ unitPriceMinor }) => unitPriceMinor !== undefined);
  return {
    lines: wanted,
    destination: { countryCode, zip },
    recipient: null,
    sale: isPriced ? { currency, totalMinor: listMinor, listMinor } : null,
    acceptances: [],
    isPartly,
  };
}
