import { timingSafeEqual } from 'node:crypto';
import { AliExpressRefusal } from './refusal.ts';
import { type AppCredentials, signatureOf } from './sign.ts';

const LARGEST_SKEW_MS = 7_200_000;
const CHINA_OFFSET_MS = 8 * 3_600_000;

/** Milliseconds since the epoch, or the older `2027-01-05 09:16:33` in Chinese time. */
function instantOf(timestamp: string): number {
  if (/^\d{13}$/.test(timestamp)) return Number(timestamp);
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(timestamp)) return Number.NaN;
  return Date.parse(`${timestamp.replace(' ', 'T')}Z`) - CHINA_OFFSET_MS;
}

const isSame = (a: string, b: string): boolean =>
  Buffer.byteLength(a) === Buffer.byteLength(b) && timingSafeEqual(Buffer.from(a), Buffer.from(b));

const refuse = (code: string, message: string): never => {
  throw new AliExpressRefusal(code, message);
};

/**
 * Lets a call in that this app has signed within the last or next two hours. `path` is the API path of `/rest` calls,
 * else empty, `now` the platform's hour. Throws AliExpressRefusal: MissingParameter, MissingAppKey, InvalidAppKey,
 * InvalidParameter, IllegalTimestamp, IncompleteSignature.
 */
export function checkSignature(
  parameters: Readonly<Record<string, string>>,
  { appKey, appSecret }: AppCredentials,
  path: string,
  now: number,
): void {
  const { app_key, timestamp, sign_method, sign } = parameters;
  if (!app_key) refuse('MissingAppKey', 'The request is missing the parameter app_key');
  if (app_key !== appKey) refuse('InvalidAppKey', 'The app_key is not known');
  for (const name of ['timestamp', 'sign_method', 'sign'])
    if (!parameters[name]) refuse('MissingParameter', `The request is missing the parameter ${name}`);
  if (sign_method !== 'sha256' && sign_method !== 'md5')
    refuse('InvalidParameter', 'The parameter sign_method is not valid');
  const signedAt = instantOf(timestamp ?? '');
  if (Number.isNaN(signedAt)) refuse('InvalidParameter', 'The parameter timestamp is not valid');
  if (Math.abs(now - signedAt) > LARGEST_SKEW_MS)
    refuse('IllegalTimestamp', 'The specified timestamp is invalid or too far from now');
  if (!isSame(sign ?? '', signatureOf(parameters, { secret: appSecret, path })))
    refuse('IncompleteSignature', 'The request signature does not conform to platform standards');
}
