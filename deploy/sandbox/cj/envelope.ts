import { randomUUID } from 'node:crypto';
import { type Answer, json } from '../exchange.ts';

/** The supplier's own words for what it refuses; the numbers are its documented codes. */
export const CJ = {
  ok: 200,
  tokenInvalid: 1600001,
  refreshTokenInvalid: 1600003,
  interfaceNotFound: 1600101,
  tooManyRequests: 1600200,
  mixedBag: 1600100,
  parameterError: 1600300,
  variantNotFound: 1602000,
  productNotFound: 1602001,
  productOffShelf: 1602002,
  variantOffShelf: 1602003,
  createFailed: 1603000,
  confirmFailed: 1603001,
  deleteFailed: 1603002,
  orderExists: 1603003,
  orderNotFound: 1603100,
  balanceInsufficient: 1604000,
  logisticNotFound: 1605000,
  countryNotFound: 1605002,
  webhookInvalid: 1606001,
  webhookLocal: 1607000,
  webhookInsecure: 1607001,
  webhookSilent: 1607003,
  methodNotSupported: 16900202,
  contentTypeWrong: 16900203,
  bodyMissing: 16900204,
  bodyInvalid: 16900205,
  parameterEmpty: 16900403,
  pointsUsedUp: 16900500,
} as const;

export type CjCode = (typeof CJ)[keyof typeof CJ];

/** Thrown by any handler to answer with a code other than 200. */
export class CjRefusal extends Error {
  readonly code: CjCode;
  readonly httpStatus: number;

  /** @param httpStatus 200 for all refusals but a few. */
  constructor(code: CjCode, message: string, httpStatus = 200) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.httpStatus = httpStatus;
  }
}

interface Extra {
  /** Of the envelope itself, beside `data`. */
  readonly pointsInfo?: object;
}

const envelope = (code: number, message: string, data: unknown, extra: Extra, status = 200): Answer =>
  json(
    {
      code,
      result: code === CJ.ok,
      message,
      data,
      requestId: randomUUID().replaceAll('-', ''),
      ...extra,
    },
    status,
  );

/** `code` 200 with whatever the endpoint has to say. */
export const success = (data: unknown, extra: Extra = {}): Answer => envelope(CJ.ok, 'Success', data, extra);

/** Nearly all refusals come with HTTP 200 too: only `code` tells. */
export const refusal = (code: CjCode, message: string, extra: Extra = {}, status = 200): Answer =>
  envelope(code, message, null, extra, status);

/** The one refusal whose code is its status. */
export const tooManyPoints = (extra: Extra): Answer => envelope(429, 'Points are used up', null, extra, 429);

/** Minor units to the decimal JSON numbers of this dialect. */
export const usd = (minor: number): number => minor / 100;

const BEIJING_OFFSET_MS = 8 * 3_600_000;

/** `2027-01-05T09:16:33+08:00`: how token dates are written. */
export const beijingTime = (at: number): string =>
  `${new Date(at + BEIJING_OFFSET_MS).toISOString().slice(0, 19)}+08:00`;

/** `2027-01-05 01:16:33` in UTC: how order dates are written. */
export const utcTime = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ');
