import type { H3Event } from 'h3';
import { z } from 'zod';
import { LIST_SUPPLIERS } from '../../contracts/requests/list-suppliers.ts';
import { READ_PRODUCT } from '../../contracts/requests/read-product.ts';
import { SEARCH_PRODUCTS } from '../../contracts/requests/search-products.ts';
import {
  PausePurchasing,
  type PauseScope,
  type PurchasingPauses,
} from '../../contracts/resources/purchasing-pause.ts';
import type { SupplierList } from '../../contracts/resources/supplier.ts';
import {
  type ProductPage,
  ProductQuery,
  SearchProducts,
  type SupplierProduct,
} from '../../contracts/resources/supplier-product.ts';
import { SupplierName } from '../../contracts/vocabulary.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { pausePurchasing, readPauses, resumePurchasing } from '../../services/purchasing-switch.ts';
import type { Store } from '../../services/store/store.ts';
import { invalid, readJson, readParam, readQuery } from '../read-input.ts';
import type { Route } from '../route.ts';
import { answerOf } from '../supplier-problem.ts';

/** Longer than the suppliers service itself waits for a supplier. */
const CATALOGUE_MS = 25_000;
const LIST_MS = 5_000;
/** As a mapping takes it: suppliers write ids in whatever letters they like. */
const ProductId = z.string().regex(/^(?!\s)[^\p{Cc}\p{Cs}]{1,100}(?<!\s)$/u);

function param<T extends z.ZodType>(event: H3Event, name: string, schema: T, message: string): z.output<T> {
  const result = schema.safeParse(readParam(event, name));
  if (result.success) return result.data;
  throw invalid('path', [{ path: name, message }]);
}

const supplierIn = (event: H3Event): SupplierName =>
  param(event, 'supplier', SupplierName, `must be one of ${SupplierName.options.join(', ')}`);

/** Suppliers and their catalogues, asked of the suppliers service: the gateway itself calls no supplier. */
export const supplierRoutes = (bus: Bus): Route[] => [
  {
    method: 'POST',
    path: '/search',
    scope: 'read',
    handle: async (event): Promise<ProductPage> => {
      const wanted = await readJson(event, SearchProducts);
      return answerOf(bus.request(SEARCH_PRODUCTS, wanted, CATALOGUE_MS), 'search');
    },
  },
  {
    method: 'GET',
    path: '/product/:supplier/:productId',
    handle: async (event): Promise<SupplierProduct> => {
      const supplier = supplierIn(event);
      const productId = param(event, 'productId', ProductId, 'must be the id of a product at the supplier');
      const { country } = readQuery(event, ProductQuery);
      return answerOf(bus.request(READ_PRODUCT, { supplier, productId, country }, CATALOGUE_MS), 'product');
    },
  },
  {
    method: 'GET',
    path: '/suppliers',
    handle: async (): Promise<SupplierList> => answerOf(bus.request(LIST_SUPPLIERS, {}, LIST_MS), 'search'),
  },
];

/** The kill switch. Written here, where the database is: it must also stop a suppliers service that is about to start. */
export function purchasingSwitchRoutes(store: Store): Route[] {
  const pause = async (event: H3Event, scope: PauseScope): Promise<PurchasingPauses> => {
    const { reason } = await readJson(event, PausePurchasing);
    return { pauses: await pausePurchasing(store, { scope, cause: 'operator', reason }) };
  };
  const resume = async (scope: PauseScope): Promise<PurchasingPauses> => ({
    pauses: await resumePurchasing(store, scope),
  });
  return [
    {
      method: 'GET',
      path: '/purchasing',
      handle: async (): Promise<PurchasingPauses> => ({ pauses: await readPauses(store) }),
    },
    { method: 'POST', path: '/purchasing/pause', handle: (event) => pause(event, 'all') },
    // Stopping is for everybody who may change things; what spends money again is not.
    { method: 'POST', path: '/purchasing/resume', scope: 'admin', handle: () => resume('all') },
    {
      method: 'POST',
      path: '/suppliers/:supplier/pause',
      handle: (event) => pause(event, supplierIn(event)),
    },
    {
      method: 'POST',
      path: '/suppliers/:supplier/resume',
      scope: 'admin',
      handle: (event) => resume(supplierIn(event)),
    },
  ];
}
