import type { Journal } from '../journal.ts';
import type { LiveSettings } from '../settings.ts';
import type { Shelf } from '../shelf.ts';
import { type CheckedLine, readOrderRequest } from './create-order.ts';
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
  /** Look-ups see that status whatever the truth is, until null gives the truth back. Null: no such order. */
  show(orderId: string, status: string | null): true | null;
  /** Everything ever created. */
  all(): AliExpressOrder[];
}

type WantedOrder = Pick<AliExpressOrder, 'outOrderId' | 'store' | 'address'> & {
  readonly lines: readonly CheckedLine[];
};

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

/** What will become of it if nobody does anything. */
function outlookOf({ journey, payUntil }: AliExpressOrder): News[] {
  if (journey === null) return [{ status: 'OrderClosed', at: payUntil }];
  return [
    ...journey.parcels.map(({ sentAt }): News => ({ status: 'OrderShipped', at: sentAt })),
    { status: 'OrderConfirmed', at: journey.finishedAt },
  ];
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

  /** Marks it as paid and answers with what comes of it. */
  const pay = (order: AliExpressOrder): News[] => {
    const { timing, aliexpress } = settings.current();
    const paidAt = Date.now();
    order.payments.push(paidAt);
    order.journey = journeyOf(order, { paidAt, timing, parcels: aliexpress.parcels });
    save(order);
    return [{ status: 'PaymentAuthorized', at: paidAt }, ...outlookOf(order)];
  };

  const open = ({ lines, ...wanted }: WantedOrder): AliExpressOrder => {
    const { timing, aliexpress } = settings.current();
    const createdAt = Date.now();
    const order: AliExpressOrder = {
      orderId: String(FIRST_ORDER_ID + kept.size),
      ...wanted,
      createdAt,
      visibleAt: createdAt + timing.lookupBlindMs,
      payUntil: createdAt + aliexpress.payTimeoutMs,
      payTimeoutMs: aliexpress.payTimeoutMs,
      payments: [],
      journey: null,
      closed: null,
      shownStatus: null,
      lines: lines.map((line) => lineOf(line, wanted.address.country ?? '')),
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
      const bySeller = Map.groupBy(checked.lines, ({ product }) => product.store);
      const orders = [...bySeller].map(([store, lines]) =>
        open({ outOrderId: request.outOrderId, store, address: checked.address, lines }),
      );
      const paysNow = request.triesToPay && isAutoPayAllowed;
      for (const order of orders) {
        const isFailed = request.triesToPay && !paysNow;
        pushes.announce(order, [
          { status: 'OrderCreated', at: order.createdAt },
          ...(isFailed ? [{ status: 'paymentFailedEvent', at: order.createdAt } as const] : []),
          ...(paysNow ? pay(order) : []),
        ]);
        // A timeout days ahead must not hold back its neighbour when pushes are swapped.
        if (!paysNow) pushes.announce(order, outlookOf(order));
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
      pushes.recall(order, outlookOf(order));
      pushes.announce(order, pay(order));
      return true;
    },
    close(orderId, end) {
      const order = kept.get(orderId);
      if (order === undefined) return null;
      if (statusOf(order, Date.now()) === 'FINISH') return false;
      const now = Date.now();
      const ahead = outlookOf(order).filter(({ at }) => at > now);
      order.closed = { at: now, ...end };
      save(order);
      pushes.recall(order, ahead);
      pushes.announce(order, [{ status: 'OrderClosed', at: now }]);
      return true;
    },
    show(orderId, status) {
      const order = kept.get(orderId);
      if (order === undefined) return null;
      order.shownStatus = status;
      save(order);
      return true;
    },
    all: () => kept.all(),
  };
}
