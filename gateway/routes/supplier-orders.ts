import { AppError } from '../../contracts/errors.ts';
import { ListQuery } from '../../contracts/resources/order.ts';
import type { SupplierOrderList, SupplierOrderView } from '../../contracts/resources/supplier-order.ts';
import { SupplierOrder } from '../../services/store/entities/supplier-order.ts';
import type { Store } from '../../services/store/store.ts';
import { after, fromCursor, NEWEST_FIRST, toPage } from '../page.ts';
import { readParam, readQuery } from '../read-input.ts';
import type { Route } from '../route.ts';
import { SUPPLIER_ORDER_FIELDS, toSupplierOrderViews } from '../views/supplier-order-view.ts';

export const supplierOrderRoutes = (store: Store): Route[] => [
  {
    method: 'GET',
    path: '/supplier-orders',
    handle: async (event): Promise<SupplierOrderList> => {
      const { limit, cursor } = readQuery(event, ListQuery);
      const em = store.em();
      const found = await em.find(SupplierOrder, cursor === undefined ? {} : after(fromCursor(cursor)), {
        fields: SUPPLIER_ORDER_FIELDS,
        orderBy: NEWEST_FIRST,
        limit: limit + 1,
      });
      const { items, nextCursor } = toPage(found, limit);
      return { items: await toSupplierOrderViews(em, items), nextCursor };
    },
  },
  {
    method: 'GET',
    path: '/supplier-orders/:supplierOrderId',
    handle: async (event): Promise<SupplierOrderView> => {
      const id = readParam(event, 'supplierOrderId');
      const em = store.em();
      const found = /^sup_ord_\w{1,60}$/.test(id)
        ? await em.find(SupplierOrder, { id }, { fields: SUPPLIER_ORDER_FIELDS })
        : [];
      const [view] = await toSupplierOrderViews(em, found);
      if (view !== undefined) return view;
      throw new AppError(
        'supplier_order_not_found',
        `there is no supplier order ${JSON.stringify(id.slice(0, 80))}`,
        { retryable: false },
      );
    },
  },
];
