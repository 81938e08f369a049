import { DEAD_LETTER_DOCS } from './dead-letter-docs.ts';
import { HOLD_DOCS } from './hold-docs.ts';
import { MAPPING_DOCS } from './mapping-docs.ts';
import { OPERATION_DOCS } from './operation-docs.ts';
import { ORDER_DOCS } from './order-docs.ts';
import { PRIVACY_DOCS } from './privacy-docs.ts';
import type { RouteDoc } from './route-doc.ts';
import { SUPPLIER_DOCS } from './supplier-docs.ts';
import { SUPPLIER_ORDER_DOCS } from './supplier-order-docs.ts';
import { WEBHOOK_DOCS } from './webhook-docs.ts';

/** What the documents say of each route, by `GET /orders/:orderId`; the routes themselves say what is done. */
export const ROUTE_DOCS: Readonly<Record<string, RouteDoc>> = {
  ...ORDER_DOCS,
  ...SUPPLIER_ORDER_DOCS,
  ...HOLD_DOCS,
  ...PRIVACY_DOCS,
  ...DEAD_LETTER_DOCS,
  ...SUPPLIER_DOCS,
  ...MAPPING_DOCS,
  ...WEBHOOK_DOCS,
  ...OPERATION_DOCS,
};
