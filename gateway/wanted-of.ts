import type { OrderContext } from '../machines/order-context.ts';
import { unitsBeyondShop } from '../machines/returned-units.ts';
import type { SupplierOrderContext } from '../machines/supplier-order-context.ts';
import { isOff, surplusOf } from '../machines/wanted-units.ts';
import type { Explained } from './explained.ts';

/** How much of a purchase is wanted. What a person gave up nobody wants, whatever the shop says. */
export function wantedOf(
  order: OrderContext,
  supplierOrderId: string,
  { unwantedBy }: SupplierOrderContext,
): Explained['supplierOrders'][number]['wanted'] {
  if (isOff(order) || unwantedBy === 'operator') return 'nothing';
  const { units = {} } = order.supplierOrders[supplierOrderId] ?? {};
  const lines = Object.entries(units).map(([lineId, bought]) => ({
    bought,
    surplus: Math.max(0, surplusOf(order, lineId), unitsBeyondShop(order, lineId)),
  }));
  if (lines.every(({ surplus }) => surplus === 0)) return 'all';
  return lines.every(({ bought, surplus }) => surplus >= bought) ? 'nothing' : 'a part';
}
