import { AppError } from '../../../contracts/errors.ts';
import type { SupplierToken } from '../adapter-parts.ts';
import { type AliExpressClientOptions, createAliExpressClient } from './client.ts';
import { exchangeCode } from './tokens.ts';

/** The page on which the owner of the buyer account lets the app in. It leads back to `redirectUri` with a code. */
export function consentUrl(
  { baseUrl, appKey }: { readonly baseUrl: string; readonly appKey: string },
  redirectUri: string,
  state: string,
): string {
  const query = new URLSearchParams({
    response_type: 'code',
    force_auth: 'true',
    redirect_uri: redirectUri,
    client_id: appKey,
    state,
  });
  return `${baseUrl}/oauth/authorize?${query}`;
}

const refuse = (problem: string): never => {
  throw new AppError('message_invalid', problem, { retryable: false });
};

/**
 * The code in what a person pasted: the whole address that the consent page led to, or the code alone.
 * @param state of the page that was opened, null when another run opened it: an address with another one is refused.
 * @throws AppError `message_invalid` in words for the person.
 */
export function codeIn(pasted: string, state: string | null): string {
  const text = pasted.trim();
  if (!/^https?:\/\//.test(text)) {
    return /^[\w.~-]+$/.test(text) ? text : refuse('this is neither the address of the page nor a code');
  }
  const query = URL.parse(text)?.searchParams;
  if (state !== null && query?.get('state') !== state)
    refuse('this address belongs to another consent page: open the one printed last');
  const code = query?.get('code');
  return code ? code : refuse('this address has no code: paste the one that the consent page led to');
}

/** Exchanges the code and keeps the token pair for all services. Throws SupplierError. */
export function connect(
  options: Omit<AliExpressClientOptions, 'accessToken'>,
  code: string,
  signal: AbortSignal,
): Promise<SupplierToken> {
  const client = createAliExpressClient(options);
  return exchangeCode(options.tokens, code, client.askForTokens('purchase', signal));
}
