import { z } from 'zod';
import { MaybeAmount, MaybeText } from '../loose-json.ts';

const Code = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number),
]);

/** What wraps every answer. */
export const Envelope = z.object({
  code: Code,
  result: z.boolean().nullish(),
  message: MaybeText,
  data: z.unknown().optional(),
  requestId: MaybeText,
});

/** Instants carry Beijing's offset; they come out in UTC. */
const Instant = z.string().transform((text, context) => {
  const at = new Date(text);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  context.addIssue({ code: 'custom', message: 'not an instant' });
  return z.NEVER;
});

/** getAccessToken and, without `openId`, refreshAccessToken. */
export const TokenData = z.object({
  openId: MaybeText,
  accessToken: z.string().min(1),
  accessTokenExpiryDate: Instant,
  refreshToken: z.string().min(1),
  refreshTokenExpiryDate: Instant,
});

export const VariantData = z.object({ vid: MaybeText, variantSellPrice: MaybeAmount });
export type VariantData = z.infer<typeof VariantData>;

export const FreightRow = z.object({
  logisticName: MaybeText,
  logisticPrice: MaybeAmount,
  logisticAging: MaybeText,
  taxesFee: MaybeAmount,
  clearanceOperationFee: MaybeAmount,
  totalPostageFee: MaybeAmount,
});
export type FreightRow = z.infer<typeof FreightRow>;

/** `orderId` is the SD code in this answer, and in this one only. */
export const CreatedData = z.object({
  orderId: MaybeText,
  orderStatus: MaybeText,
  orderAmount: MaybeAmount,
  productAmount: MaybeAmount,
  postageAmount: MaybeAmount,
});

/** An order in the detail, the batch and the list. `orderId` is CJ's internal number here: no call takes it from us. */
export const OrderRow = z.object({
  orderId: MaybeText,
  orderNum: MaybeText,
  cjOrderId: MaybeText,
  cjOrderCode: MaybeText,
  orderStatus: MaybeText,
  orderAmount: MaybeAmount,
  productAmount: MaybeAmount,
  postageAmount: MaybeAmount,
  logisticName: MaybeText,
  trackNumber: MaybeText,
  trackingUrl: MaybeText,
  trackingProvider: MaybeText,
  productList: z.array(z.object({ vid: MaybeText, quantity: MaybeAmount })).nullish(),
});
export type OrderRow = z.infer<typeof OrderRow>;

export const TrackRow = z.object({
  trackingNumber: MaybeText,
  trackingStatus: MaybeText,
  lastTrackNumber: MaybeText,
});
export type TrackRow = z.infer<typeof TrackRow>;

/** Lists come as null when empty and may hold nulls. */
export const rowsOf = <T>(row: z.ZodType<T>) =>
  z
    .array(z.union([row, z.null()]))
    .nullish()
    .transform((rows) => (rows ?? []).filter((value) => value !== null));

/** product/query, as far as prices go. */
export const ProductData = z.object({ variants: rowsOf(VariantData) });

export const OrderPage = z
  .object({ list: rowsOf(OrderRow) })
  .nullish()
  .transform((page) => page?.list ?? []);
