import { ProductPage, SearchProducts } from '../resources/supplier-product.ts';
import type { RequestContract } from './request.ts';

/** Suppliers: one page of a supplier's catalogue, in the normal form. */
export const SEARCH_PRODUCTS = {
  service: 'suppliers',
  verb: 'search_products',
  request: SearchProducts,
  reply: ProductPage,
} satisfies RequestContract;
