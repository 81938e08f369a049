import { z } from 'zod';
import { PreviewSourcing, SourcingPreview } from '../resources/sourcing-preview.ts';
import type { RequestContract } from './request.ts';

/** Suppliers: where an order, or one that nobody has made, would be bought. Buys nothing. */
export const PREVIEW_SOURCING = {
  service: 'suppliers',
  verb: 'preview_sourcing',
  request: z.union([z.strictObject({ orderId: z.string() }), PreviewSourcing]),
  reply: SourcingPreview,
} satisfies RequestContract;
