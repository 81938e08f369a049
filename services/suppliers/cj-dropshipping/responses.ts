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
export const MaybeText = Loose.transform((value) => {
  const text = value == null ? '' : String(value).trim();
  return text === '' ? null : text;
});

const BETWEEN_BOUNDS = /(?<=\d)\s*(?:-+|~|–)\s*(?=\d)/;

/** A number, also out of text, or a range ("15.16 -- 15.17") by its bounds. Null for everything else. */
export const MaybeRange = Loose.transform((value) => {
  if (value == null || String(value).trim() === '') return null;
  const numbers = String(value).split(BETWEEN_BOUNDS).map(Number);
  return numbers.every(Number.isFinite) ? { min: Math.min(...numbers), max: Math.max(...numbers) } : null;
});

/** A number, also out of text; of a range the upper end. Null for everything else. */
export const MaybeAmount = MaybeRange.transform((range) => range?.max ?? null);

/** Order dates are UTC without saying so; others name their offset or are milliseconds. Null for no date. */
const MaybeInstant = MaybeText.transform((text) => {
  if (text === null) return null;
  const isUnmarked = /^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?(\.\d+)?$/.test(text);
  const at = new Date(isUnmarked ? `${text.replace(' ', 'T')}Z` : /^\d+$/.test(text) ? Number(text) : text);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
});

const Code = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number),
]);

/** What is left of the day's points, where an answer says so. */
const PointsInfo = z.object({ usedToday: MaybeAmount, remaining: MaybeAmount, total: MaybeAmount });
export type PointsInfo = z.infer<typeof PointsInfo>;

/** What wraps every answer. */
export const Envelope = z.object({
  code: Code,
  result: z.boolean().nullish(),
  message: MaybeText,
  data: z.unknown().optional(),
  requestId: MaybeText,
  pointsInfo: PointsInfo.nullish().catch(null),
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
  createDate: MaybeInstant,
  productList: z
    .array(z.object({ vid: MaybeText, quantity: MaybeAmount, storeLineItemId: MaybeText }))
    .nullish(),
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

export const OrderPage = z
  .object({ list: rowsOf(OrderRow), total: MaybeAmount })
  .nullish()
  .transform((page) => page ?? { list: [], total: null });

/** The batch: a list, or a page around it, which its documents leave open. */
export const OrderRows = z.union([rowsOf(OrderRow), OrderPage.transform(({ list }) => list)]);

/** getBalance: what the prepaid account holds, in dollars. */
export const BalanceData = z.object({ amount: MaybeAmount });

/** Writes are answered with null, an id or a word; only the code counts. */
export const Whatever = z.unknown();
