import { CJ, CjRefusal, usd } from './envelope.ts';
import { amountOf, type CjOrder, statusOf } from './order.ts';
import type { CjOrders } from './orders.ts';

export interface Cart {
  /** Data of addCart. Throws CjRefusal 1603100, 1603001. */
  add(sdCodes: readonly string[]): object;
  /** Data of addCartConfirm: what is intercepted stays in the cart. Throws CjRefusal 1603100, 1603001. */
  confirm(sdCodes: readonly string[]): object;
  /** Data of saveGenerateParentOrder. Throws CjRefusal 1603100. */
  parentOrder(shipmentId: string): object;
  /** Takes the money for a whole shipment. Throws CjRefusal 1600300 with HTTP 400 for test orders, and as `CjOrders.pay`. */
  pay(shipmentId: string, payId: string): void;
}

const payIdOf = (shipmentId: string): string => `PAY${shipmentId}`;

/** The longer way to a payment: several orders in a cart are confirmed and paid as one shipment. */
export function createCart(orders: CjOrders): Cart {
  const ofShipment = (shipmentId: string): CjOrder[] =>
    orders.all().filter((order) => order.shipmentId === shipmentId);
  const intercepted = (order: CjOrder): object | null => {
    const reason = orders.interceptionOf(order);
    return reason && { orderId: order.sdCode, interceptOrderReasons: [reason] };
  };
  return {
    add(sdCodes) {
      const added = sdCodes.map((sdCode) => {
        const order = orders.own(sdCode);
        if (statusOf(order, Date.now()) !== 'CREATED')
          throw new CjRefusal(CJ.confirmFailed, 'Order add cart fail: status does not allow it');
        order.inCartAt = Date.now();
        orders.changed(order);
        return order;
      });
      const stopped = added.flatMap((order) => intercepted(order) ?? []);
      return {
        successCount: added.length,
        addSuccessOrders: added.map(({ sdCode }) => sdCode),
        unInterceptAddressCount: added.length - stopped.length,
        interceptOrders: stopped,
      };
    },
    confirm(sdCodes) {
      const wanted = sdCodes.map((sdCode) => orders.own(sdCode));
      const free = wanted.filter((order) => intercepted(order) === null);
      const shipmentsId = free[0] === undefined ? null : `SH${free[0].sdCode.slice(2)}`;
      for (const order of free) {
        order.shipmentId = shipmentsId;
        orders.confirm(order.sdCode);
      }
      return {
        submitSuccess: free.length > 0,
        shipmentsId,
        result: free.length,
        interceptOrders: wanted.flatMap((order) => intercepted(order) ?? []),
      };
    },
    parentOrder(shipmentId) {
      const members = ofShipment(shipmentId);
      if (members.length === 0) throw new CjRefusal(CJ.orderNotFound, 'Order not found');
      const payable = usd(members.reduce((sum, order) => sum + amountOf(order), 0));
      const freight = usd(members.reduce((sum, { postageMinor }) => sum + postageMinor, 0));
      return {
        payId: payIdOf(shipmentId),
        orderMoney: payable,
        payExpireTime: null,
        paymentInformation: { actualPayment: payable, freight, payableAmount: payable },
        interceptOrders: [],
      };
    },
    pay(shipmentId, payId) {
      // Anything else than a shipment's id, an SD code above all, is taken without a word and pays nothing.
      const members = ofShipment(shipmentId);
      if (members.some(({ isSandbox }) => isSandbox === 1))
        throw new CjRefusal(CJ.parameterError, 'Sandbox orders are not supported', 400);
      if (members.length > 0 && payId !== payIdOf(shipmentId))
        throw new CjRefusal(CJ.parameterError, 'Param error: payId');
      for (const { sdCode } of members) orders.pay(sdCode);
    },
  };
}
