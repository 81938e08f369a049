import { DAY_MS } from '../../contracts/durations.ts';
import type { OrderReceived, ReceivedLine } from '../../contracts/events/order-received.ts';
import type { OrderContext } from '../../machines/order-context.ts';
import type { Sql } from '../store/store.ts';

interface OrderRow {
  readonly shop: string;
  readonly shopOrderId: string;
  readonly name: string;
  readonly currency: string;
  readonly totalMinor: string;
  readonly placedAt: string;
  readonly context: OrderContext;
}

type LineRow = Omit<ReceivedLine, 'units' | 'openUnits' | 'deliveredBy' | 'unitPriceMinor'> & {
  readonly unitPriceMinor: string;
};

/** Beyond the patience of the gateway with its commit. */
const BESIDE_MS = 10_000;
/** For so long a body may wait to be taken in; what takes longer waits for a person. */
const TAKEN_IN_MS = DAY_MS;

/**
 * Whether an order that we do not have may be about to come: its body is kept, or is just being kept and does not know yet
 * that the order was deleted.
 */
export async function mayBeComing(sql: Sql, orderId: string): Promise<boolean> {
  const [row] = await sql.query(
    `select 1 from webhooks
      where order_id = $1 and topic in ('orders/delete', 'orders/create', 'orders/updated', 'orders/paid', 'orders/cancelled')
        and received_at > now() - interval '1 millisecond' *
            case topic when 'orders/delete' then $2::float8 else $3::float8 end limit 1`,
    [orderId, BESIDE_MS, TAKEN_IN_MS],
  );
  return row !== undefined;
}

/** An order that the shop has no more, as its last body would have told of a cancel; null when we never had it. */
export async function readDeletedOrder(sql: Sql, orderId: string): Promise<OrderReceived | null> {
  const [order] = await sql.query<OrderRow>(
    `select shop, shop_order_id as "shopOrderId", name, currency, total_minor as "totalMinor",
            placed_at as "placedAt", context from orders where id = $1`,
    [orderId],
  );
  if (order === undefined) return null;
  const lines = await sql.query<LineRow>(
    `select line_id as "lineId", variant_id as "variantId", product_id as "productId", sku, title,
            unit_price_minor as "unitPriceMinor" from order_lines where order_id = $1 order by position`,
    [orderId],
  );
  const { context, totalMinor, ...known } = order;
  return {
    orderId,
    ...known,
    totalMinor: Number(totalMinor),
    sourceUpdatedAt: new Date().toISOString(),
    test: context.test,
    cancelled: true,
    payment: context.payment,
    hasAddress: context.hasAddress,
    lines: lines.map((line) => ({
      ...line,
      unitPriceMinor: Number(line.unitPriceMinor),
      units: context.inShop[line.lineId]?.units ?? 0,
      openUnits: context.inShop[line.lineId]?.ours ?? 0,
      deliveredBy: 'us',
    })),
  };
}
