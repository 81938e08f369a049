import { z } from 'zod';

const keepExact = (_key: string, value: unknown, context?: { source?: string }): unknown => {
  const source = context?.source;
  const isRounded = typeof value === 'number' && source !== undefined && !Number.isSafeInteger(value);
  return isRounded && /^-?\d+$/.test(source) ? source : value;
};

/**
 * JSON in which integers beyond 2^53 stay exact: they come back as text. Ids here have up to 19 digits and are
 * numbers in one call, text in the next. Throws SyntaxError like JSON.parse.
 */
export const parseExactJson = (text: string): unknown => JSON.parse(text, keepExact);

const Loose = z.union([z.string(), z.number()]).nullish();

/** Text, or a number as text; null for null, absent and blank. */
const MaybeText = Loose.transform((value) => {
  const text = value == null ? '' : String(value).trim();
  return text === '' ? null : text;
});

const RANGE_SEPARATOR = /\s+-+\s+/;

/** A number, also out of text; of a price range ("15.16 -- 15.17") the upper end. Null for everything else. */
const MaybeAmount = Loose.transform((value) => {
  if (value == null || value === '') return null;
  const numbers = String(value).split(RANGE_SEPARATOR).map(Number);
  return numbers.every(Number.isFinite) ? Math.max(...numbers) : null;
});

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
