import { z } from 'zod';
import { ProductQuery, SupplierProduct } from '../resources/supplier-product.ts';
import { SupplierName } from '../vocabulary.ts';
import type { RequestContract } from './request.ts';

/** Suppliers: one product with its variants, stock and shipping options. */
export const READ_PRODUCT = {
  service: 'suppliers',
  verb: 'read_product',
  request: ProductQuery.extend({ supplier: SupplierName, productId: z.string().min(1) }),
  reply: SupplierProduct,
} satisfies RequestContract;
