import type { H3 } from 'h3';
import { z } from 'zod';
import { withBody } from '../with-body.ts';
import { toGid } from './gid.ts';
import { nowText, type Shop } from './shop.ts';
import type { FulfillmentOrder, ShopOrder } from './shop-order.ts';

const HoldChange = z.strictObject({
  reason: z.string().default('OTHER'),
  handle: z.string().nullable().default(null),
});

/** What a person or another app does to an order in the shop's admin. */
const OrderChange = z.strictObject({
  cancelled: z.literal(true).optional(),
  financialStatus: z.string().optional(),
  riskLevel: z.enum(['HIGH', 'MEDIUM', 'LOW', 'NONE', 'PENDING']).optional(),
  /** New quantities by line id. */
  quantities: z.record(z.string(), z.int().nonnegative()).optional(),
  location: z.string().optional(),
  deleted: z.literal(true).optional(),
  /** By key, as `TAX_CREDENTIAL_IT`. */
  localizedFields: z.record(z.string().regex(/^(SHIPPING|TAX)_[A-Z_]+_[A-Z]{2}$/), z.string()).optional(),
});

function change(
  order: ShopOrder,
  {
    cancelled,
    financialStatus,
    riskLevel,
    quantities,
    location,
    localizedFields,
  }: z.infer<typeof OrderChange>,
): void {
  if (cancelled) {
    order.cancelledAt = nowText();
    order.cancelReason = 'CUSTOMER';
  }
  if (financialStatus !== undefined) order.financialStatus = financialStatus;
  if (riskLevel !== undefined) order.riskLevel = riskLevel;
  if (localizedFields !== undefined) order.localizedFields = localizedFields;
  if (location !== undefined) for (const work of order.fulfillmentOrders) work.location = location;
  for (const [lineId, quantity] of Object.entries(quantities ?? {})) {
    const line = order.lines.find(({ id }) => id === lineId);
    if (line === undefined) continue;
    const less = line.currentQuantity - quantity;
    line.currentQuantity = quantity;
    line.fulfillableQuantity = Math.max(0, line.fulfillableQuantity - less);
    for (const { lines } of order.fulfillmentOrders) {
      for (const work of lines) {
        if (work.lineItemId === lineId) work.totalQuantity = Math.max(0, work.totalQuantity - less);
      }
    }
  }
}

/** Units by line id that are shipped from another location. */
const Split = z.strictObject({ location: z.string(), units: z.record(z.string(), z.int().positive()) });

function split(
  shop: Shop,
  from: FulfillmentOrder,
  { location, units }: z.infer<typeof Split>,
): FulfillmentOrder {
  const lines = from.lines.flatMap((line) => {
    const moved = Math.min(units[line.lineItemId] ?? 0, line.totalQuantity);
    line.totalQuantity -= moved;
    return moved === 0 ? [] : [{ id: shop.nextId(), lineItemId: line.lineItemId, totalQuantity: moved }];
  });
  return { ...from, id: shop.nextId(), location, holds: [], lines };
}

/** Whether its day is still to come. */
const Schedule = z.strictObject({ scheduled: z.boolean() });

const unknown = (what: string): Response => Response.json({ error: `no such ${what}` }, { status: 404 });

const ProductNews = z.strictObject({
  id: z.int(),
  variants: z.array(z.int()).default([]),
  deleted: z.boolean().default(false),
});

/** Adds `/control/shop/*`: what happens in the shop without us. */
export function addShopControl(app: H3, shop: Shop): void {
  app.post('/control/shop/orders', (event) =>
    withBody(event, (body) => {
      const { order, isNew } = shop.register(body);
      const fulfillmentOrderIds = order.fulfillmentOrders.map(({ id }) => toGid('FulfillmentOrder', id));
      const answer = { orderId: toGid('Order', order.id), fulfillmentOrderIds, isNew };
      return Response.json(answer, { status: isNew ? 201 : 200 });
    }),
  );
  app.put('/control/shop/orders/:id', (event) =>
    withBody(event, (body) => {
      const order = shop.order(event.context.params?.id ?? '');
      if (order === undefined) return unknown('order');
      const wanted = OrderChange.parse(body);
      if (wanted.deleted) {
        shop.remove(order);
      } else {
        change(order, wanted);
        shop.touch(order);
        if (wanted.cancelled) shop.tellOrder('ORDERS_CANCELLED', order);
        if (wanted.riskLevel !== undefined)
          shop.tell('ORDERS_RISK_ASSESSMENT_CHANGED', () => ({ order_id: Number(order.id) }));
        if (wanted.financialStatus === 'PAID') shop.tellOrder('ORDERS_PAID', order);
        if (/REFUNDED$/.test(wanted.financialStatus ?? ''))
          shop.tell('REFUNDS_CREATE', () => ({ id: Number(shop.nextId()), order_id: Number(order.id) }));
        if (wanted.quantities !== undefined)
          shop.tell('ORDERS_EDITED', () => ({ order_edit: { order_id: Number(order.id) } }));
      }
      return Response.json({ orderId: toGid('Order', order.id), updatedAt: order.updatedAt });
    }),
  );
  app.post('/control/shop/products', (event) =>
    withBody(event, (body) => {
      const { id, variants, deleted } = ProductNews.parse(body);
      if (deleted) shop.tell('PRODUCTS_DELETE', () => ({ id }));
      else
        shop.tell('PRODUCTS_UPDATE', () => ({ id, variants: variants.map((variant) => ({ id: variant })) }));
      return Response.json({ id });
    }),
  );
  app.post('/control/shop/fulfillments/:id/cancel', (event) => {
    const found = shop.fulfillment(event.context.params?.id ?? '');
    if (found === undefined) return unknown('fulfillment');
    const { order, fulfillment } = found;
    fulfillment.status = 'CANCELLED';
    fulfillment.updatedAt = nowText();
    shop.touch(order);
    shop.tellFulfillment('FULFILLMENTS_UPDATE', order, fulfillment);
    return Response.json({ status: fulfillment.status });
  });
  app.post('/control/shop/fulfillment-orders/:id/split', (event) =>
    withBody(event, (body) => {
      const found = shop.fulfillmentOrder(event.context.params?.id ?? '');
      if (found === undefined) return unknown('fulfillment order');
      const { order, fulfillmentOrder } = found;
      const made = split(shop, fulfillmentOrder, Split.parse(body));
      order.fulfillmentOrders.push(made);
      shop.touch(order);
      shop.tellFulfillmentOrder('FULFILLMENT_ORDERS_SPLIT', order, fulfillmentOrder);
      return Response.json({ fulfillmentOrderId: toGid('FulfillmentOrder', made.id) }, { status: 201 });
    }),
  );
  app.put('/control/shop/fulfillment-orders/:id/holds', (event) =>
    withBody(event, (body) => {
      const found = shop.fulfillmentOrder(event.context.params?.id ?? '');
      if (found === undefined) return unknown('fulfillment order');
      const { order, fulfillmentOrder } = found;
      const theirs = z
        .array(HoldChange)
        .parse(body)
        .map((hold) => ({ ...hold, id: shop.nextId(), reasonNotes: null, isOurs: false }));
      // Of the order itself nothing changes.
      fulfillmentOrder.holds = [...fulfillmentOrder.holds.filter(({ isOurs }) => isOurs), ...theirs];
      const topic = theirs.length > 0 ? 'PLACED_ON_HOLD' : 'HOLD_RELEASED';
      shop.tellFulfillmentOrder(`FULFILLMENT_ORDERS_${topic}`, order, fulfillmentOrder);
      return Response.json({ holds: fulfillmentOrder.holds });
    }),
  );
  app.put('/control/shop/fulfillment-orders/:id/schedule', (event) =>
    withBody(event, (body) => {
      const found = shop.fulfillmentOrder(event.context.params?.id ?? '');
      if (found === undefined) return unknown('fulfillment order');
      const { order, fulfillmentOrder } = found;
      fulfillmentOrder.isScheduled = Schedule.parse(body).scheduled;
      if (!fulfillmentOrder.isScheduled) {
        const topic = 'FULFILLMENT_ORDERS_SCHEDULED_FULFILLMENT_ORDER_READY';
        shop.tellFulfillmentOrder(topic, order, fulfillmentOrder);
      }
      return Response.json({ scheduled: fulfillmentOrder.isScheduled });
    }),
  );
}
