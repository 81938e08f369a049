import { z } from 'zod';
import { OrderStateName } from '../vocabulary.ts';
import { MailAddress, PostedAddress } from './posted-address.ts';
import { PostedCustoms } from './posted-customs.ts';

const note = z.string().trim().max(2_000);
const quantity = z.int().min(1).max(10_000);

/** Body of `POST /orders`: an order that no shop stands behind. Amounts are minor units of its currency. */
export const PostOrder = z.strictObject({
  /** As people call it; made up when absent. */
  name: z.string().trim().min(1).max(60).optional(),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be a currency code, like EUR'),
  /** Nothing is bought before it is `paid`; `PUT /orders/{id}` says so later. */
  payment: z.enum(['paid', 'pending']),
  items: z
    .array(
      z
        .strictObject({
          sku: z.string().trim().min(1).max(100).optional(),
          /** By which the product mapping is found. */
          variant_id: z
            .string()
            .regex(/^\d{1,20}$/, 'must be the numeric id of a shop variant')
            .optional(),
          title: z.string().trim().min(1).max(300).optional(),
          quantity,
          unit_price_minor: z.int().min(0).max(1_000_000_000).default(0),
        })
        .refine(({ sku, variant_id }) => sku !== undefined || variant_id !== undefined, {
          error: 'sku or variant_id must be there',
        }),
    )
    .min(1)
    .max(250),
  shipping_address: PostedAddress,
  customs: PostedCustoms.optional(),
  note: note.optional(),
});
export type PostOrder = z.infer<typeof PostOrder>;

/** Of two wishes for one line nobody knows which is meant. */
export const linesNamedOnce = (
  items: readonly { readonly line_id: string }[],
  { addIssue }: z.core.$RefinementCtx,
): void => {
  for (const [index, { line_id }] of items.entries())
    if (items.findIndex((item) => item.line_id === line_id) < index)
      addIssue({ code: 'custom', path: [index, 'line_id'], message: 'is named twice' });
};

/** Body of `PUT /orders/{id}`: what is there is changed, all of it or nothing. */
export const PutOrder = z
  .strictObject({
    shipping_address: PostedAddress.optional(),
    contact: z
      .strictObject({ email: MailAddress.optional(), phone: z.string().trim().max(60).optional() })
      .refine((contact) => Object.keys(contact).length > 0, { error: 'says nothing' })
      .optional(),
    customs: PostedCustoms.optional(),
    /** Can be changed at any time. */
    note: note.optional(),
    /** Only for an order that no shop stands behind. */
    payment: z.literal('paid').optional(),
    /** Units that are wanted from now on; never more than before. */
    items: z
      .array(z.strictObject({ line_id: z.string().min(1).max(100), quantity: z.int().min(0).max(10_000) }))
      .min(1)
      .max(250)
      .superRefine(linesNamedOnce)
      .optional(),
  })
  .refine((body) => Object.keys(body).length > 0, { error: 'says nothing to change' });
export type PutOrder = z.infer<typeof PutOrder>;

/** What was asked for is committed and follows in a moment; `status` is where the order is on its way to or stands. */
export const OrderReceipt = z.object({ id: z.string(), status: OrderStateName });
export type OrderReceipt = z.infer<typeof OrderReceipt>;
