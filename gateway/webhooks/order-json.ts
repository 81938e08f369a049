import { AppError } from '../../contracts/errors.ts';

/** Whoever has these can open the buyer's order page or cart; the rest says where the buyer sat and surfed. */
const PAGE_SECRETS = new Set([
  'token',
  'checkout_token',
  'cart_token',
  'order_status_url',
  'browser_ip',
  'client_details',
  'landing_site',
  'landing_site_ref',
  'referring_site',
]);

/** A double cannot hold every id: integers beyond 2^53 come back as the text that stood there. */
function keepExact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  const isRounded = typeof value === 'number' && !Number.isSafeInteger(value);
  return isRounded && source !== undefined && /^-?\d+$/.test(source) ? source : value;
}

/** In place: these are thrown away with the text they came from. */
function dropPageSecrets(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, field] of Object.entries(value)) {
    if (PAGE_SECRETS.has(key)) Reflect.deleteProperty(value, key);
    else dropPageSecrets(field);
  }
}

/**
 * Parses a body that was verified, with exact ids and, at any depth, without the buyer's page secrets: what comes out
 * may be stored.
 * @throws AppError `body_malformed`.
 */
export function parseOrderJson(raw: string): unknown {
  try {
    // 2^53 has sixteen digits. A look at each value while parsing costs three times as much as all the rest.
    const json: unknown = /\d{16}/.test(raw) ? JSON.parse(raw, keepExact) : JSON.parse(raw);
    dropPageSecrets(json);
    return json;
  } catch (cause) {
    throw new AppError('body_malformed', 'the body is not JSON', { retryable: false, cause });
  }
}
