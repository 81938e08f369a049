import type { Journal } from '../journal.ts';
import type { LiveSettings } from '../settings.ts';
import type { Shelf } from '../shelf.ts';
import { type CheckedLine, type CheckedOrder, readOrderRequest } from './create-order.ts';
import { feeOf, taxMinorOf } from './delivery.ts';
import { AliExpressOrder, journeyOf, statusOf } from './order.ts';
import type { AliExpressPushes, News } from './pushes.ts';
import { AliExpressRefusal } from './refusal.ts';
import { numberId, WireList } from './wire.ts';

const FIRST_ORDER_ID = 8_190_000_000_000_001;

export interface AliExpressOrders {
  /** The answer to order.create. Throws AliExpressRefusal with one of its error codes. */
  create(parameters: Readonly<Record<string, string>>): object;
  /** By order id only: what look-ups can see. */
  visible(orderId: string): AliExpressOrder | undefined;
  /** The owner pays on the site. False when the order does not wait for it (any more); null: no such order. */
  pay(orderId: string): boolean | null;
  /** Somebody cancels on the site. False when the order has ended already; null: no such order. */
  close(orderId: string, end: { reason: string; description: string }): boolean | null;
  /** Everything ever created. */
  all(): AliExpressOrder[];
}

function lineOf({ product, offer, quantity, delivery, memo }: CheckedLine, country: string) {
  return {
    productId: product.productId,
    skuId: offer.skuId,
    title: product.title,
    description: offer.properties.map(({ value }) => value).join(' '),
    quantity,
    priceMinor: offer.priceMinor,
    shippingMinor: feeOf(delivery),
    taxMinor: product.isTaxIncluded ? 0 : taxMinorOf(offer, country) * quantity,
    deliveryCode: delivery.code,
    company: delivery.company,
    memo,
  };
}

/** The order book of the platform. What is new in it is told to `pushes`. */
export function createAliExpressOrders(
  journal: Journal,
  { settings, shelf, pushes }: { settings: LiveSettings; shelf: Shelf; pushes: AliExpressPushes },
): AliExpressOrders {
  const kept = journal.collection('aliexpress_order', AliExpressOrder);
  const byOutOrderId = new Map<string, AliExpressOrder[]>();
  const remember = (order: AliExpressOrder): void => {
    if (order.outOrderId === null) return;
    byOutOrderId.set(order.outOrderId, [...(byOutOrderId.get(order.outOrderId) ?? []), order]);
  };
  for (const order of kept.all()) remember(order);
  const save = (order: AliExpressOrder): void => kept.put(order.orderId, order);
  const isUnpaid = (order: AliExpressOrder): boolean => statusOf(order, Date.now()) === 'PLACE_ORDER_SUCCESS';

  const pay = (order: AliExpressOrder): News[] => {
    const { timing, aliexpress } = settings.current();
    const paidAt = Date.now();
    order.payments.push(paidAt);
    order.journey = journeyOf(order, { paidAt, timing, parcels: aliexpress.parcels });
    save(order);
    return [
      { status: 'PaymentAuthorized', at: paidAt },
      ...order.journey.parcels.map(({ sentAt }): News => ({ status: 'OrderShipped', at: sentAt })),
      { status: 'OrderConfirmed', at: order.journey.finishedAt },
    ];
  };
  /** The timeout of an unpaid order is news of its own. */
  const endUnpaid = ({ payUntil }: AliExpressOrder): News => ({ status: 'OrderClosed', at: payUntil });

  const open = (outOrderId: string | null, { address }: CheckedOrder, lines: readonly CheckedLine[]) => {
    const { timing, aliexpress } = settings.current();
    const createdAt = Date.now();
    const [{ product } = { product: null }] = lines;
    if (product === null) throw new Error('an order without lines');
    const order: AliExpressOrder = {
      orderId: String(FIRST_ORDER_ID + kept.size),
      outOrderId,
      createdAt,
      visibleAt: createdAt + timing.lookupBlindMs,
      payUntil: createdAt + aliexpress.payTimeoutMs,
      payTimeoutMs: aliexpress.payTimeoutMs,
      payments: [],
      journey: null,
      closed: null,
      store: product.store,
      address,
      lines: lines.map((line) => lineOf(line, address.country ?? '')),
    };
    save(order);
    remember(order);
    return order;
  };

  /** The orders that an answer to the same number again would be about. */
  const remembered = (outOrderId: string | null): AliExpressOrder[] => {
    const since = Date.now() - settings.current().aliexpress.repeatWindowMs;
    return (byOutOrderId.get(outOrderId ?? '') ?? []).filter(({ createdAt }) => createdAt > since);
  };
  const created = (orders: readonly AliExpressOrder[], autoPay: object = {}): object => ({
    result: {
      is_success: true,
      order_list: new WireList(
        'number',
        orders.map(({ orderId }) => numberId(orderId)),
      ),
      ...autoPay,
    },
  });

  return {
    create(parameters) {
      const request = readOrderRequest(parameters);
      const { repeatedOrder, isAutoPayAllowed } = settings.current().aliexpress;
      const earlier = remembered(request.outOrderId);
      if (earlier.length > 0 && repeatedOrder === 'first') return created(earlier);
      if (earlier.length > 0 && repeatedOrder === 'refused')
        throw new AliExpressRefusal('REPEATED_ORDER_ERROR', 'the order was placed already');
      const checked = request.check(shelf);
      const bySeller = Map.groupBy(checked.lines, ({ product }) => product.store.id);
      const orders = [...bySeller.values()].map((lines) => open(request.outOrderId, checked, lines));
      const paysNow = request.triesToPay && isAutoPayAllowed;
      for (const order of orders) {
        const afterwards = paysNow ? pay(order) : [endUnpaid(order)];
        const failed: News[] =
          request.triesToPay && !paysNow ? [{ status: 'paymentFailedEvent', at: order.createdAt }] : [];
        pushes.announce(order, [{ status: 'OrderCreated', at: order.createdAt }, ...failed, ...afterwards]);
      }
      if (!request.triesToPay || paysNow) return created(orders);
      return created(orders, {
        error_code: 'APIPayFail',
        error_msg: 'OrderCreated, autoPay fail:APIPayFail',
      });
    },
    visible(orderId) {
      const order = kept.get(orderId);
      return order !== undefined && Date.now() >= order.visibleAt ? order : undefined;
    },
    pay(orderId) {
      const order = kept.get(orderId);
      if (order === undefined) return null;
      if (!isUnpaid(order)) return false;
      pushes.recall(order);
      pushes.announce(order, pay(order));
      return true;
    },
    close(orderId, end) {
      const order = kept.get(orderId);
      if (order === undefined) return null;
      if (statusOf(order, Date.now()) === 'FINISH') return false;
      order.closed = { at: Date.now(), ...end };
      save(order);
      pushes.recall(order);
      pushes.announce(order, [{ status: 'OrderClosed', at: order.closed.at }]);
      return true;
    },
    all: () => kept.all(),
  };
}
