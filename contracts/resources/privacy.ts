import { z } from 'zod';
import { OrderStateName } from '../vocabulary.ts';
import { ListQuery } from './list-query.ts';

export const PrivacyRequestKind = z.enum(['data_requested', 'customer_redacted', 'shop_redacted']);
export type PrivacyRequestKind = z.infer<typeof PrivacyRequestKind>;

/** How a request ended: everything erased, the data fetched, or closed by hand. */
export const PrivacyRequestEnd = z.enum(['erased', 'exported', 'operator']);
export type PrivacyRequestEnd = z.infer<typeof PrivacyRequestEnd>;

/** An order whose customer is erased once it has ended, at the latest when the request is due. */
export const WaitingErasure = z.object({
  orderId: z.string(),
  /** Null: its customer is known, the order has not come in yet. */
  status: OrderStateName.nullable(),
});
export type WaitingErasure = z.infer<typeof WaitingErasure>;

/** What a person, through the shop or the API, asked for. */
export const PrivacyRequest = z.object({
  id: z.int(),
  kind: PrivacyRequestKind,
  /** Its domain, or `api`. */
  shop: z.string(),
  /** Empty for a whole shop. */
  orderIds: z.array(z.string()),
  /** Orders that are not erased yet: the first hundred. */
  waiting: z.array(WaitingErasure),
  receivedAt: z.iso.datetime(),
  dueAt: z.iso.datetime(),
  closedAt: z.iso.datetime().nullable(),
  closedBy: PrivacyRequestEnd.nullable(),
});
export type PrivacyRequest = z.infer<typeof PrivacyRequest>;

export const PrivacyRequestQuery = ListQuery.pick({ limit: true }).extend({
  /** Without it closed ones are listed too. */
  open: z.stringbool().optional(),
});

export const PrivacyRequestList = z.object({ items: z.array(PrivacyRequest) });
export type PrivacyRequestList = z.infer<typeof PrivacyRequestList>;

export const ErasureReceipt = z.object({
  requestId: z.int(),
  /** Orders whose customer has no name any more. */
  erased: z.array(z.string()),
  waiting: z.array(WaitingErasure),
  /** Then the waiting ones are erased too, however they stand. */
  dueAt: z.iso.datetime(),
  /** Columns, as `table.column`, of these orders' rows that still hold something of the person. Empty: nothing is left. */
  found: z.array(z.string()),
});
export type ErasureReceipt = z.infer<typeof ErasureReceipt>;

/** Everything that is stored about the orders of one customer, row by row. */
export const CustomerData = z.object({
  orderIds: z.array(z.string()),
  exportedAt: z.iso.datetime(),
  /** By table: its rows as they are stored. */
  data: z.record(z.string(), z.array(z.record(z.string(), z.json()))),
});
export type CustomerData = z.infer<typeof CustomerData>;
