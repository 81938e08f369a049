import { createHmac, timingSafeEqual } from 'node:crypto';

export interface AppCredentials {
  readonly appKey: string;
  readonly appSecret: string;
}

const hmac = (secret: string, ...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHmac('sha256', secret);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/**
 * The value of `sign`: keys in the order of their bytes, each followed by its value as it is, nothing encoded.
 * @param path of calls that are named by one (`/auth/token/create`); empty for those named by the parameter `method`.
 */
export function signatureOf(secret: string, parameters: Readonly<Record<string, string>>, path = ''): string {
  // Without a comparer JavaScript sorts by code units, which for these names are their bytes.
  const names = Object.keys(parameters)
    .filter((name) => name !== 'sign')
    .sort();
  const text = names.map((name) => `${name}${parameters[name]}`).join('');
  return hmac(secret, path + text).toUpperCase();
}

/** Whether a push was signed by the owner of the secret: lower-case hex over the app key and the raw body. */
export function isPushSignature(app: AppCredentials, body: Uint8Array, signature: string): boolean {
  const expected = Buffer.from(hmac(app.appSecret, app.appKey, body));
  const given = Buffer.from(signature.trim().toLowerCase());
  return given.length === expected.length && timingSafeEqual(given, expected);
}
