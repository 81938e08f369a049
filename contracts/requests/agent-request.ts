import { z } from 'zod';

/** What another agent sends to `svc.oms.<scope>.<operation>`: the parts of the REST route of that operation. */
export const AgentRequest = z.strictObject({
  /** Parts of the path, as `{ "orderId": "ord_..." }`. */
  params: z.record(z.string(), z.string().max(200)).default({}),
  query: z.record(z.string(), z.union([z.string().max(500), z.number(), z.boolean()])).default({}),
  body: z.unknown().optional(),
  /** As the header Idempotency-Key: the same key, the same effect once. */
  idempotencyKey: z.string().min(1).max(200).optional(),
});
export type AgentRequest = z.infer<typeof AgentRequest>;

/** Subject of an operation. NATS itself decides who may ask for which scope. */
export const agentSubject = (scope: string, operation: string): string => `svc.oms.${scope}.${operation}`;
