import { randomBytes } from 'node:crypto';
import type { Journal } from '../journal.ts';
import type { LiveSettings } from '../settings.ts';
import type { CjAccount } from './account.ts';
import { type CheckedOrder, checkOrder } from './create-order.ts';
import { CJ, CjRefusal, usd } from './envelope.ts';
import type { CjGoods } from './goods.ts';
import { amountOf, CjOrder, type Journey, statusOf, trackingOf } from './order.ts';
import { splitOrder } from './split.ts';

export interface CjOrders {
  /** Data of createOrderV2. Throws CjRefusal as checkOrder does, 1603003 and 1604000. */
  create(body: unknown): object;
  /** Why the supplier stops this order for a look; null when it does not. */
  interceptionOf(order: CjOrder): Interception | null;
  /** By SD code only, like the four below. Throws CjRefusal 1603100. */
  own(sdCode: string): CjOrder;
  /** Keeps and tells what somebody has changed in an order. */
  changed(order: CjOrder): void;
  /** Throws CjRefusal 1603100, 1603001 (status, stock, intercepted). */
  confirm(sdCode: string): void;
  /** Throws CjRefusal 1603100, 1603001 (not UNPAID), 1604000. */
  pay(sdCode: string): void;
  /** Throws CjRefusal 1603100, 1603002. */
  remove(sdCode: string): void;
  /** By merchant number, SD code or internal number: what look-ups can see, oldest first. */
  find(reference: string): CjOrder[];
  /** Everything that look-ups can see. */
  visible(): CjOrder[];
  byTracking(trackingNumber: string): CjOrder | undefined;
  /** Look-ups see that status of all orders under a merchant's number, until null gives the truth back. False: none. */
  show(orderNumber: string, status: string | null): boolean;
  /**
   * As a warehouse does it with a labelled order: it packs it in two, each part with a number of its own. False: there is
   * no such order that waits to be sent, or nothing to divide.
   */
  pack(orderNumber: string): boolean;
  /** Everything ever created, removed ones too; the parts of split orders besides. */
  all(): CjOrder[];
  /** Tells of each order that was confirmed, paid or removed, and of the parts that it was split into. */
  onChange(tell: (order: CjOrder, parts: readonly CjOrder[]) => void): void;
}

export interface Interception {
  readonly code: number;
  readonly message: string;
}

/** Codes and texts of interceptions are not documented. */
const FOREIGN_LETTERS: Interception = { code: 1, message: 'address intercepted, please use Latin letters' };
const NOT_LATIN = /[\p{L}--[\p{Script=Latin}\p{Script=Common}]]/v;
const SHORT_INVENTORY = 'Order confirm fail: insufficient inventory';

const datePart = (at: number): string => new Date(at).toISOString().slice(2, 10).replaceAll('-', '');

const internalNumberOf = (at: number, position: number): number =>
  Number(`${datePart(at)}${String(position).padStart(8, '0')}`);

/** With nulls it is what the live interface was seen to answer right after a creation, without them what is documented. */
const createdBody = (order: CjOrder, paid: boolean, withNulls: boolean): object => ({
  orderId: order.sdCode,
  orderNumber: order.orderNumber,
  shipmentOrderId: withNulls ? null : `SH${order.sdCode.slice(2)}`,
  productAmount: usd(order.productMinor),
  postageAmount: usd(order.postageMinor),
  orderAmount: withNulls ? null : usd(amountOf(order)),
  orderOriginalAmount: null,
  productOriginalAmount: null,
  productDiscountAmount: null,
  postageOriginalAmount: null,
  postageDiscountAmount: null,
  totalDiscountAmount: null,
  iossAmount: null,
  iossTaxHandlingFee: null,
  actualPayment: paid ? usd(amountOf(order)) : null,
  cjPayUrl: order.payType === 1 ? `https://cj.example/mine/payment?pid=${order.sdCode.slice(2)}` : null,
  payId: order.payType === 1 ? order.sdCode.slice(2) : null,
  logisticsMiss: false,
  orderStatus: withNulls ? null : statusOf(order, Date.now()),
  productInfoList: order.products.map(({ vid, quantity, lineItemId, storeLineItemId }) => ({
    storeLineItemId,
    lineItemId,
    variantId: vid,
    quantity,
    isGroup: false,
    subOrderProducts: null,
  })),
});

function assemble(
  { wanted, goods, freight }: CheckedOrder,
  position: number,
  lookupBlindMs: number,
): CjOrder {
  const createdAt = Date.now();
  return {
    sdCode: `SD${datePart(createdAt)}${String(position).padStart(13, '0')}`,
    internalNumber: internalNumberOf(createdAt, position),
    orderNumber: wanted.orderNumber,
    createdAt,
    visibleAt: createdAt + lookupBlindMs,
    inCartAt: null,
    confirmedAt: null,
    shipmentId: null,
    closedAt: null,
    deletedAt: null,
    payments: [],
    journey: null,
    partOf: null,
    shownStatus: null,
    split: null,
    productMinor: goods.reduce((sum, { article, quantity }) => sum + article.priceMinor * quantity, 0),
    postageMinor: freight.totalMinor,
    products: goods.map(({ article, quantity, storeLineItemId }) => ({
      vid: article.supplierVariantId,
      quantity,
      priceMinor: article.priceMinor,
      lineItemId: randomBytes(9).toString('hex'),
      storeLineItemId,
    })),
    payType: wanted.payType ?? 1,
    isSandbox: wanted.isSandbox ?? 0,
    fromCountryCode: wanted.fromCountryCode,
    logisticName: wanted.logisticName,
    remark: wanted.remark ?? null,
    recipient: {
      countryCode: wanted.shippingCountryCode,
      province: wanted.shippingProvince,
      city: wanted.shippingCity,
      address: wanted.shippingAddress,
      zip: wanted.shippingZip ?? null,
      phone: wanted.shippingPhone ?? null,
      name: wanted.shippingCustomerName,
    },
  };
}

/** The supplier's order book. Money comes from `account`, the pace of the journey from `settings`. */
export function createCjOrders(
  journal: Journal,
  settings: LiveSettings,
  { account, goods }: { account: CjAccount; goods: CjGoods },
): CjOrders {
  const kept = journal.collection('cj_order', CjOrder);
  const byNumber = new Map<string, CjOrder[]>();
  const byTracking = new Map<string, CjOrder>();
  const byInternalNumber = new Map<string, CjOrder>();
  const listeners: Parameters<CjOrders['onChange']>[0][] = [];
  const tell = (order: CjOrder, parts: readonly CjOrder[] = []): void => {
    for (const listener of listeners) listener(order, parts);
  };
  const track = (order: CjOrder): void => {
    const number = order.journey?.trackingNumber;
    if (number != null) byTracking.set(number, order);
  };
  const remember = (order: CjOrder): void => {
    byNumber.set(order.orderNumber, [...(byNumber.get(order.orderNumber) ?? []), order]);
    byInternalNumber.set(String(order.internalNumber), order);
    track(order);
  };
  for (const order of kept.all()) remember(order);

  const save = (order: CjOrder): void => kept.put(order.sdCode, order);
  const isVisible = (order: CjOrder, now: number): boolean =>
    order.deletedAt === null && order.split !== 'hidden' && now >= order.visibleAt;
  const own = (sdCode: string): CjOrder => {
    const order = kept.get(sdCode);
    if (order === undefined || order.deletedAt !== null)
      throw new CjRefusal(CJ.orderNotFound, 'Order not found');
    return order;
  };
  const isOpen = (order: CjOrder): boolean => ['CREATED', 'IN_CART'].includes(statusOf(order, Date.now()));
  const interceptionOf = ({ recipient }: CjOrder): Interception | null =>
    settings.current().intercept && NOT_LATIN.test(Object.values(recipient).join(' '))
      ? FOREIGN_LETTERS
      : null;
  const changed = (order: CjOrder, parts: readonly CjOrder[] = []): void => {
    track(order);
    save(order);
    tell(order, parts);
  };
  const confirm = (order: CjOrder): void => {
    if (!isOpen(order)) throw new CjRefusal(CJ.confirmFailed, 'Order confirm fail: status does not allow it');
    const intercepted = interceptionOf(order);
    if (intercepted !== null)
      throw new CjRefusal(CJ.confirmFailed, `Order confirm fail: ${intercepted.message}`);
    const isShort = order.products.some(({ vid, quantity }) => goods.byId(vid).stock < quantity);
    if (isShort) throw new CjRefusal(CJ.confirmFailed, SHORT_INVENTORY);
    order.confirmedAt = Date.now();
    changed(order);
  };
  const split = (
    order: CjOrder,
    journey: Journey,
    { mode, laterMs }: { mode: 'hidden' | 'shown'; laterMs: number },
  ): CjOrder[] => {
    const numberOf = (index: number): number => internalNumberOf(order.createdAt, kept.size + 1 + index);
    const parts = splitOrder(order, journey, { laterMs, numberOf });
    if (parts.length === 0) return [];
    order.split = mode;
    order.journey = { ...(parts.at(-1)?.journey ?? journey), trackingNumber: null };
    for (const part of parts) {
      save(part);
      remember(part);
    }
    return parts;
  };
  const splitAtPayment = (order: CjOrder, journey: Journey): CjOrder[] => {
    const { split: mode, timing } = settings.current();
    return mode === 'off' ? [] : split(order, journey, { mode, laterMs: timing.shipMs });
  };
  const pay = (order: CjOrder): void => {
    if (statusOf(order, Date.now()) !== 'UNPAID') {
      throw new CjRefusal(CJ.confirmFailed, 'Order confirm fail: only UNPAID orders can be paid');
    }
    account.spend(amountOf(order));
    const paidAt = Date.now();
    const { processMs, shipMs, transitMs, deliverMs } = settings.current().timing;
    const announcedAt = paidAt + processMs;
    const shippedAt = announcedAt + shipMs;
    const inTransitAt = shippedAt + transitMs;
    order.payments.push(paidAt);
    const journey = {
      trackingNumber: `CJPSB${order.sdCode.slice(-10)}YQ`,
      announcedAt,
      shippedAt,
      inTransitAt,
      deliveredAt: inTransitAt + deliverMs,
    };
    order.journey = journey;
    changed(order, splitAtPayment(order, journey));
  };

  return {
    create(body) {
      const checked = checkOrder(goods, body);
      const { dupMode, timing, createNulls } = settings.current();
      const namesakes = byNumber.get(checked.wanted.orderNumber) ?? [];
      // Whether a deleted order frees its number is not documented; here it does.
      if (dupMode === 'A' && namesakes.some(({ deletedAt }) => deletedAt === null)) {
        throw new CjRefusal(CJ.orderExists, 'Order exist, please do not submit it again');
      }
      const order = assemble(checked, kept.size + 1, timing.lookupBlindMs);
      if (order.payType === 1) order.confirmedAt = order.createdAt;
      save(order);
      remember(order);
      if (order.payType === 2) {
        // Too little money refuses the payment only: the order is there, UNPAID.
        confirm(order);
        pay(order);
      }
      const interception = interceptionOf(order);
      return {
        ...createdBody(order, order.payType === 2, createNulls),
        interceptOrderReasons: interception === null ? null : [interception],
      };
    },
    interceptionOf,
    own,
    changed,
    confirm: (sdCode) => confirm(own(sdCode)),
    pay: (sdCode) => pay(own(sdCode)),
    remove(sdCode) {
      const order = own(sdCode);
      if (!isOpen(order)) throw new CjRefusal(CJ.deleteFailed, 'Order delete fail: status does not allow it');
      order.deletedAt = Date.now();
      changed(order);
    },
    find(reference) {
      const now = Date.now();
      const one = kept.get(reference) ?? byInternalNumber.get(reference);
      const found = one === undefined ? (byNumber.get(reference) ?? []) : [one];
      return found.filter((order) => isVisible(order, now));
    },
    visible: () => kept.all().filter((order) => isVisible(order, Date.now())),
    byTracking(trackingNumber) {
      const order = byTracking.get(trackingNumber);
      return order !== undefined && trackingOf(order, Date.now()) !== null ? order : undefined;
    },
    show(orderNumber, status) {
      const meant = byNumber.get(orderNumber) ?? [];
      for (const order of meant) {
        order.shownStatus = status;
        save(order);
      }
      return meant.length > 0;
    },
    pack(orderNumber) {
      const order = (byNumber.get(orderNumber) ?? []).find(
        ({ split: mode, partOf }) => mode === null && partOf === null,
      );
      if (order?.journey == null || statusOf(order, Date.now()) !== 'UNSHIPPED') return false;
      const parts = split(order, order.journey, { mode: 'hidden', laterMs: 0 });
      if (parts.length > 0) changed(order, parts);
      return parts.length > 0;
    },
    all: () => kept.all(),
    onChange: (listener) => listeners.push(listener),
  };
}
