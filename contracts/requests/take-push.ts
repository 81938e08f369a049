import { z } from 'zod';
import { SupplierName } from '../vocabulary.ts';
import type { RequestContract } from './request.ts';

/** Suppliers: a push message as it came. Nothing of its body is stored; what it is about is read anew. */
export const TAKE_PUSH = {
  service: 'suppliers',
  verb: 'take_push',
  request: z.object({
    supplier: SupplierName,
    /** Names in lower case; only those that can carry a signature. */
    headers: z.record(z.string(), z.string()),
    bodyBase64: z.base64(),
  }),
  reply: z.object({ result: z.enum(['accepted', 'repeated', 'probe', 'unreadable', 'forged']) }),
} satisfies RequestContract;
