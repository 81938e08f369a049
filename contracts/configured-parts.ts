import type { Settings } from './settings.ts';
import { missingVariables, variablesOf } from './supplier-variables.ts';
import { SUPPLIERS } from './vocabulary.ts';

/** Any of these set means that the owner wants the real world: no sandbox is started and nothing is fed. */
const LIVE_VARIABLES: readonly (keyof Settings)[] = [
  'SHOPIFY_SHOP_URL',
  'SHOPIFY_API_KEY',
  'SHOPIFY_API_SECRET',
  'SHOPIFY_ACCESS_TOKEN',
  ...SUPPLIERS.map(variablesOf).flatMap(({ needs, mayHave }) => [...needs, ...mayHave]),
];

export const isLive = (settings: Settings): boolean =>
  LIVE_VARIABLES.some((name) => settings[name] !== undefined);

/** What is switched off for want of its variables: one sentence each, naming them. Empty when all is there. */
export function missingParts(settings: Settings): string[] {
  const lacking = (names: readonly (keyof Settings)[]): string =>
    names.filter((name) => settings[name] === undefined).join(', ');
  const parts: string[] = [];
  const add = (what: string, missing: string): void => {
    if (missing !== '') parts.push(`${what} off: ${missing} not set`);
  };
  add('Shopify webhooks are', lacking(['SHOPIFY_SHOP_URL', 'SHOPIFY_API_SECRET']));
  if (!hasShopifyLogin(settings)) {
    const missing = lacking(['SHOPIFY_SHOP_URL', 'SHOPIFY_API_SECRET']);
    const hasToken = settings.SHOPIFY_ACCESS_TOKEN !== undefined || settings.SHOPIFY_API_KEY !== undefined;
    const token = hasToken ? '' : 'SHOPIFY_ACCESS_TOKEN (or SHOPIFY_API_KEY)';
    add('Writing to the shop is', [missing, token].filter((part) => part !== '').join(', '));
  }
  for (const supplier of SUPPLIERS)
    add(`${variablesOf(supplier).label} is`, missingVariables(settings, supplier).join(', '));
  add('Mail to customers is', lacking(['SMTP_SERVER', 'EMAIL_FROM']));
  return parts;
}

/** Whether the Admin API can be reached: an existing token, or client id and secret to ask for one. */
export const hasShopifyLogin = (settings: Settings): boolean =>
  settings.SHOPIFY_SHOP_URL !== undefined &&
  settings.SHOPIFY_API_SECRET !== undefined &&
  (settings.SHOPIFY_ACCESS_TOKEN !== undefined || settings.SHOPIFY_API_KEY !== undefined);
