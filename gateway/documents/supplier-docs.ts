import { PausePurchasing, PurchasingPauses } from '../../contracts/resources/purchasing-pause.ts';
import { SupplierList } from '../../contracts/resources/supplier.ts';
import {
  ProductPage,
  ProductQuery,
  SearchProducts,
  SupplierProduct,
} from '../../contracts/resources/supplier-product.ts';
import { json, SUPPLIER } from './described.ts';
import type { RouteDoc } from './route-doc.ts';

const pauses = json(PurchasingPauses);
const pause = (what: string): RouteDoc => ({
  tag: 'Suppliers',
  summary: `Stop buying ${what}`,
  description:
    'Stops new purchases and payments and nothing else; what meets it is held until buying is resumed.',
  body: json(PausePurchasing, { reason: 'prices are being checked' }),
  answers: { 200: pauses },
});
const resume = (what: string): RouteDoc => ({
  tag: 'Suppliers',
  summary: `Go on buying ${what}`,
  description: 'The holds that the pause caused are released, and no others.',
  answers: { 200: pauses },
});

export const SUPPLIER_DOCS: Readonly<Record<string, RouteDoc>> = {
  'POST /search': {
    tag: 'Suppliers',
    summary: 'Search the products of a supplier',
    body: json(SearchProducts, {
      supplier: 'cj_dropshipping',
      query: 'smartphone accessories',
      page: 1,
      limit: 20,
    }),
    answers: { 200: json(ProductPage) },
    problems: [502, 504],
  },
  'GET /product/:supplier/:productId': {
    tag: 'Suppliers',
    summary: 'Get a product of a supplier with its variants, stock and shipping options',
    params: { supplier: SUPPLIER, productId: 'Id of a product at that supplier.' },
    query: ProductQuery,
    answers: { 200: json(SupplierProduct) },
    problems: [404, 502, 504],
  },
  'GET /suppliers': {
    tag: 'Suppliers',
    summary: 'List the suppliers with their state, capabilities and comparison',
    answers: { 200: json(SupplierList) },
    problems: [502, 504],
  },
  'GET /purchasing': {
    tag: 'Suppliers',
    summary: 'Say what buying is stopped by',
    answers: { 200: pauses },
  },
  'POST /purchasing/pause': pause('from all suppliers'),
  'POST /purchasing/resume': resume('from all suppliers'),
  'POST /suppliers/:supplier/pause': { ...pause('from one supplier'), params: { supplier: SUPPLIER } },
  'POST /suppliers/:supplier/resume': { ...resume('from one supplier'), params: { supplier: SUPPLIER } },
};
