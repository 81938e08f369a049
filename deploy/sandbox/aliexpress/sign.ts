import { createHash, createHmac } from 'node:crypto';

export interface AppCredentials {
  readonly appKey: string;
  readonly appSecret: string;
}

/** Keys in the order of their bytes, each with its value as it is: nothing in between, nothing encoded. */
const concatenated = (parameters: Readonly<Record<string, string>>): string =>
  Object.entries(parameters)
    .filter(([name]) => name !== 'sign')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => name + value)
    .join('');

/**
 * The signature of a call in upper-case hex. `path` is the API path of calls that are named by one
 * (`/auth/token/create`), else empty. The parameter `sign_method` decides: `md5` is the old way, all else HMAC-SHA256.
 */
export function signatureOf(
  parameters: Readonly<Record<string, string>>,
  { secret, path = '' }: { secret: string; path?: string },
): string {
  const text = path + concatenated(parameters);
  const hash =
    parameters.sign_method === 'md5'
      ? createHash('md5').update(secret + text + secret)
      : createHmac('sha256', secret).update(text);
  return hash.digest('hex').toUpperCase();
}

/** The `Authorization` header of a push: lower-case hex over the app key and the raw body. */
export const pushSignatureOf = ({ appKey, appSecret }: AppCredentials, rawBody: string): string =>
  createHmac('sha256', appSecret)
    .update(appKey + rawBody)
    .digest('hex');
