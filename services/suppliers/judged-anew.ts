import type { OrderRefusal, SourcedPart } from '../../contracts/events/order-sourced.ts';
import type { Settings } from '../../contracts/settings.ts';
import { DEAD } from '../../machines/hold-scope.ts';
import { literals } from '../store/rows.ts';
import type { Sql } from '../store/store.ts';
import type { Acceptance } from './acceptances.ts';
import type { Recipient } from './adapter.ts';
import { marginOf, marginStop } from './margin.ts';
import type { Wanted } from './plan-sourcing.ts';
import type { PurchaseFacts } from './purchase-facts.ts';
import { delivers } from './read-candidates.ts';
import { readOrdersToSource, toWanted } from './read-wanted.ts';
import { boughtOf, isAmong } from './refused-articles.ts';

/** What sourcing asked before it planned a purchase, asked again of its quote for another address. */
export interface JudgedAnew {
  readonly recipient: Recipient | null;
  readonly acceptances: readonly Acceptance[];
  /** Why it must not be bought there at all; null when it may. */
  readonly closed: OrderRefusal | null;
  /** Why it must not be bought at this cost, beside what else is bought for the order; null when it may. */
  stop(part: SourcedPart): OrderRefusal | null;
}

interface Beside {
  readonly amountMinor: number;
  readonly currency: string;
  readonly lines: readonly { readonly lineId: string; readonly units: number }[];
}

const besideIt = (sql: Sql, { orderId, id }: PurchaseFacts['row']): Promise<Beside[]> =>
  sql.query<Beside>(
    `select coalesce(amount_minor, expected_cost_minor)::float8 as "amountMinor", currency,
            (select coalesce(json_agg(json_build_object('lineId', line_id, 'units', units)), '[]')
               from supplier_order_lines l where l.supplier_order_id = s.id) as lines
       from supplier_orders s where order_id = $1 and id <> $2 and state not in (${literals(DEAD)})`,
    [orderId, id],
  );

/** A country that the mapping does not send the article of a line to; null where it does, or names it no more. */
function notDelivered(facts: PurchaseFacts, { lines, recipient }: Wanted): OrderRefusal | null {
  if (recipient === null) return null;
  const { countryCode: country } = recipient;
  const bought = boughtOf(facts);
  for (const { lineId, candidates } of lines) {
    const ofLine = bought.filter((article) => article.lineId === lineId);
    const mapped = candidates.filter((candidate) => isAmong(ofLine, candidate));
    if (mapped.length === 0 || mapped.some((candidate) => delivers(candidate, country))) continue;
    const cause =
      'its mapping does not send this article there: cancel the purchase, and release the hold that this leaves, to source it anew';
    return { reason: 'not_shippable', evidence: { lineId, country, cause } };
  }
  return null;
}

/** What a person accepted of this purchase, as planning asks for it: of the order, and of each of its lines. */
const asOfOrder = (
  acceptances: readonly Acceptance[],
  { row, lines }: PurchaseFacts,
): readonly Acceptance[] => [
  ...acceptances,
  ...acceptances
    .filter(({ supplierOrderId }) => supplierOrderId === row.id)
    .flatMap((accepted) =>
      [null, ...lines.map(({ lineId }) => lineId)].map((lineId) => ({
        ...accepted,
        lineId,
        supplierOrderId: null,
      })),
    ),
];

/**
 * Null for what was asked for by hand, or given another article or method: whoever did it has looked at price and
 * recipient.
 */
export async function judgedAnew(
  sql: Sql,
  facts: PurchaseFacts,
  settings: Settings,
): Promise<JudgedAnew | null> {
  const { row, lines } = facts;
  if (row.shippingMethod !== '' || row.shipsFrom === '' || lines.some(({ isByHand }) => isByHand))
    return null;
  const order = (await readOrdersToSource(sql, [row.orderId])).get(row.orderId);
  if (order === undefined) return null;
  const all = toWanted(order, new Map(order.lines.map(({ lineId }) => [lineId, 0])));
  const { sale, recipient } = all;
  const acceptances = asOfOrder(all.acceptances, facts);
  const prices = new Map(all.lines.map(({ lineId, unitPriceMinor }) => [lineId, unitPriceMinor]));
  const { inShop, lines: counted } = order.context;
  const soldOf = (lineId: string): number => inShop[lineId]?.units ?? counted[lineId]?.ordered ?? 0;
  const others = await besideIt(sql, row);
  return {
    recipient,
    acceptances,
    closed: notDelivered(facts, all),
    stop({ expectedCostMinor: amountMinor, currency, lines: bought }) {
      const units = new Map<string, number>();
      for (const line of [...bought, ...others.flatMap((other) => other.lines)])
        units.set(line.lineId, (units.get(line.lineId) ?? 0) + line.units);
      // For what is bought and was given back since, or is bought twice, the customer pays nothing.
      const listMinor = [...units].reduce(
        (sum, [lineId, count]) => sum + Math.min(count, soldOf(lineId)) * (prices.get(lineId) ?? 0),
        0,
      );
      const costs = [{ amountMinor, currency }, ...others];
      const margin = marginOf(sale, listMinor, costs, settings.ORDER_MANAGER_EXCHANGE_RATES);
      return marginStop(margin, settings.ORDER_MANAGER_MARGIN_FLOOR_PERCENT, acceptances);
    },
  };
}
