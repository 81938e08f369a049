import { z } from 'zod';

/** Of a request that may be repeated, over HTTP a header. */
export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 visible characters without blanks');

/** A part of a path is encoded for it; a step up or down would lead to another route all the same. */
const PathPart = z
  .string()
  .max(200)
  .regex(/^(?!\.{1,2}$)/, 'must not be a step to another path');

/** What another agent sends to `svc.oms.<scope>.<operation>`: the parts of the REST route of that operation. */
export const AgentRequest = z.strictObject({
  /** Parts of the path, as `{ "orderId": "ord_..." }`. */
  params: z.record(z.string(), PathPart).default({}),
  query: z.record(z.string(), z.union([z.string().max(500), z.number(), z.boolean()])).default({}),
  body: z.unknown().optional(),
  /** As the header Idempotency-Key: the same key, the same effect once. */
  idempotencyKey: IdempotencyKey.optional(),
});
export type AgentRequest = z.infer<typeof AgentRequest>;

/** Subject of an operation. NATS itself decides who may ask for which scope. */
export const agentSubject = (scope: string, operation: string): string => `svc.oms.${scope}.${operation}`;

/** Of every operation in every scope. */
export const ALL_OPERATIONS = 'svc.oms.>';
