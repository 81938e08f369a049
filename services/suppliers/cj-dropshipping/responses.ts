import { z } from 'zod';
import { MaybeAmount, MaybeText, MaybeVerbatim } from '../loose-json.ts';

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

/** Lists come as null when empty and may hold nulls. */
export const rowsOf = <T>(row: z.ZodType<T>) =>
  z
    .array(z.union([row, z.null()]))
    .nullish()
    .transform((rows) => (rows ?? []).filter((value) => value !== null));

/** What is left of the day's points, where an answer says so. */
const PointsInfo = z.object({ usedToday: MaybeAmount, remaining: MaybeAmount, total: MaybeAmount });
export type PointsInfo = z.infer<typeof PointsInfo>;

/** What wraps every answer. */
export const Envelope = z.object({
  code: Code,
  result: z.union([z.boolean(), z.stringbool()]).nullish(),
  // Words for people: of whatever kind they are, they must not cost the verdict.
  message: MaybeText.catch(null),
  data: z.unknown().optional(),
  requestId: MaybeText.catch(null),
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
  logisticName: MaybeVerbatim,
  logisticPrice: MaybeAmount,
  logisticAging: MaybeText,
  taxesFee: MaybeAmount,
  clearanceOperationFee: MaybeAmount,
  totalPostageFee: MaybeAmount,
});
export type FreightRow = z.infer<typeof FreightRow>;

/** Why CJ holds an order back until somebody has mended it. Codes and texts are not documented. */
const InterceptReasons = rowsOf(
  z
    .object({ code: MaybeText.catch(null), message: MaybeText.catch(null) })
    .catch({ code: null, message: null }),
).catch([]);
export type InterceptReason = z.infer<typeof InterceptReasons>[number];

/** `orderId` is the SD code in this answer, and in this one only. */
export const CreatedData = z.object({
  orderId: MaybeText,
  orderStatus: MaybeText,
  orderAmount: MaybeAmount,
  productAmount: MaybeAmount,
  postageAmount: MaybeAmount,
  interceptOrderReasons: InterceptReasons,
});

/** confirmOrder is answered with anything; of the cart's calls it is known that what they hold back stands in a list. */
export const ConfirmedData = z
  .object({
    interceptOrderReasons: InterceptReasons,
    interceptOrders: rowsOf(z.object({ interceptOrderReasons: InterceptReasons })).catch([]),
  })
  .transform(({ interceptOrderReasons: own, interceptOrders: orders }) => [
    ...own,
    ...orders.flatMap(({ interceptOrderReasons }) => interceptOrderReasons),
  ])
  .catch([]);

const Text = MaybeText.catch(null);
const Amount = MaybeAmount.catch(null);

/**
 * An order in the detail, the batch and the list. `orderId` is CJ's internal number here as a rule: no call takes that
 * from us. What has an odd kind is null: it must hide neither the order nor the others on its page.
 */
export const OrderRow = z.object({
  orderId: Text,
  orderNum: Text,
  cjOrderId: Text,
  cjOrderCode: Text,
  orderStatus: Text,
  orderAmount: Amount,
  productAmount: Amount,
  postageAmount: Amount,
  logisticName: Text,
  trackNumber: Text,
  trackingUrl: Text,
  trackingProvider: Text,
  createDate: MaybeInstant.catch(null),
  productList: rowsOf(z.object({ vid: Text, quantity: Amount, storeLineItemId: Text })).catch([]),
});
export type OrderRow = z.infer<typeof OrderRow>;

const isEmpty = (data: unknown): boolean =>
  typeof data === 'object' && data !== null
    ? Object.values(data).every(isEmpty)
    : data == null || (typeof data === 'string' && data.trim() === '');

/** The detail: how CJ shows that it has no such order is open between an error, null and emptiness of any kind. */
export const OrderDetail = z.preprocess((data) => (isEmpty(data) ? null : data), OrderRow.nullish());

export const TrackRow = z.object({ trackingNumber: Text, trackingStatus: Text, lastTrackNumber: Text });
export type TrackRow = z.infer<typeof TrackRow>;

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
