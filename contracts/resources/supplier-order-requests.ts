import { z } from 'zod';
import { SupplierName, SupplierOrderStateName } from '../vocabulary.ts';
import { linesNamedOnce } from './order-requests.ts';
import { PostedAddress } from './posted-address.ts';

const articleId = z.string().trim().min(1).max(100);
const shippingMethod = z.string().trim().min(1).max(100);

/**
 * Body of `POST /supplier-orders`: a purchase outside sourcing.
 *
 * `order_id` names one of our orders: each item takes units that are not bought yet from the lines of its SKU, or from
 * the line that it names. An `order_id` that we do not know is no error: an order of that very id is made, paid and with no shop behind it, out of
 * the items and the address. The article is `supplier_variant_id`, or the one variant of the product that has all
 * `properties`; when that is not exactly one, the purchase is held and the hold names the choices.
 */
export const PostSupplierOrder = z.strictObject({
  order_id: z.string().regex(/^ord_\w{1,60}$/, 'must look like ord_12345'),
  supplier: SupplierName,
  items: z
    .array(
      z
        .strictObject({
          sku: z.string().trim().min(1).max(100).optional(),
          /** Of an order that we know: the line may have no SKU, or share it with others. */
          line_id: z.string().min(1).max(100).optional(),
          quantity: z.int().min(1).max(10_000),
          supplier_product_id: articleId,
          supplier_variant_id: articleId.optional(),
          properties: z.record(z.string().min(1).max(100), z.string().min(1).max(200)).default({}),
        })
        .refine(({ sku, line_id }) => sku !== undefined || line_id !== undefined, {
          error: 'sku or line_id must be there',
        }),
    )
    .min(1)
    .max(100),
  /** Of an order that we know it may be absent; another than the order has is refused. */
  shipping_address: PostedAddress.optional(),
  /** The supplier's own name; absent: the cheapest. */
  shipping_method: shippingMethod.optional(),
  /** Kept with the order, beside what is noted there. */
  note: z.string().trim().max(2_000).optional(),
});
export type PostSupplierOrder = z.infer<typeof PostSupplierOrder>;

/** Body of `PUT /supplier-orders/{id}`. All but the note can be changed while it is a draft only. */
export const PutSupplierOrder = z
  .strictObject({
    note: z.string().trim().max(2_000).optional(),
    shipping_method: shippingMethod.optional(),
    /** Other articles for its lines. */
    items: z
      .array(
        z.strictObject({
          line_id: z.string().min(1).max(100),
          supplier_product_id: articleId.optional(),
          supplier_variant_id: articleId,
        }),
      )
      .min(1)
      .max(100)
      .superRefine(linesNamedOnce)
      .optional(),
  })
  .refine((body) => Object.keys(body).length > 0, { error: 'says nothing to change' });
export type PutSupplierOrder = z.infer<typeof PutSupplierOrder>;

const isEachOnce = (reference: string): boolean => {
  const names = reference.split(',');
  return new Set(names).size === names.length;
};

/** Body of `POST /supplier-orders/{id}/adopt`: the order at the supplier that a purchase in doubt has turned out to be. */
export const AdoptSupplierOrder = z.strictObject({
  /** The supplier's own number of it; where one call made several orders, all of theirs with commas between them. */
  supplier_reference: z
    .string()
    .trim()
    .max(200)
    .regex(/^[\w-]+(,[\w-]+)*$/, 'must be a number of the supplier, or several with commas between them')
    .refine(isEachOnce, { error: 'names an order twice' }),
});
export type AdoptSupplierOrder = z.infer<typeof AdoptSupplierOrder>;

/** Body of `POST /supplier-orders/{id}/not-bought`. The note says who looked, and where; it is added to the purchase's own. */
export const NotBought = z.strictObject({ note: z.string().trim().min(1).max(1_000) });
export type NotBought = z.infer<typeof NotBought>;

/**
 * Body of `POST /supplier-orders/{id}/parcel-contents`: what is in the parcel of this number, whatever the supplier says.
 * Without items it is no box of this purchase, or one that another number has replaced.
 */
export const ParcelContents = z.strictObject({
  tracking_number: z.string().trim().min(1).max(100),
  items: z
    .array(z.strictObject({ line_id: z.string().min(1).max(100), quantity: z.int().min(1).max(10_000) }))
    .max(100)
    .superRefine(linesNamedOnce),
});
export type ParcelContents = z.infer<typeof ParcelContents>;

/** What was asked for is committed and follows in a moment. */
export const SupplierOrderReceipt = z.object({
  id: z.string(),
  orderId: z.string(),
  status: SupplierOrderStateName,
});
export type SupplierOrderReceipt = z.infer<typeof SupplierOrderReceipt>;
