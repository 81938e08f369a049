import { z } from 'zod';
import { SupplierList } from '../resources/supplier.ts';
import type { RequestContract } from './request.ts';

/** Suppliers: every known supplier, configured or not, and how it stands with it. */
export const LIST_SUPPLIERS = {
  service: 'suppliers',
  verb: 'list_suppliers',
  request: z.object({}),
  reply: SupplierList,
} satisfies RequestContract;
