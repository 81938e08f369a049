import type { z } from 'zod';
import type { Content } from './route-doc.ts';

/** A body of JSON by its contract, with an example that works when it is pasted. */
export const json = (contract: z.ZodType, example?: unknown): readonly Content[] => [
  example === undefined ? { json: contract } : { json: contract, example },
];

/** Of the routes that make something. */
export const IDEMPOTENCY = {
  'Idempotency-Key': {
    description:
      'The same request again under it brings the same answer; another one is refused. All callers share these keys: begin yours with your name.',
  },
};

/** What the parts of paths mean. */
export const ORDER_ID = 'Id of an order, like `ord_20wmtjkdkoioc`.';
export const SUPPLIER_ORDER_ID = 'Id of a supplier order, like `sup_ord_20wmtjkdkoioc`.';
export const VARIANT_ID = 'Numeric id of a variant in the shop.';
export const SUPPLIER = 'Name of a supplier, like `cj_dropshipping`.';
