import type { ShopifyOrderBody } from '../contracts/shopify-order-body.ts';

const ATTRIBUTE_NAME = /(^|[^a-z])(cpf|cnpj)([^a-z]|$)/i;
const PUNCTUATION = /[\s./-]/g;
/** CPF: 11 digits. CNPJ: 14 places, of which the first twelve may be letters since July 2026. */
const TAX_ID = /^(\d{11}|[A-Z\d]{12}\d{2})$/;
/** In free text a number must be written as one, so that a firm's name is not taken for it. */
const IN_COMPANY =
  /(?<![A-Z\d])(\d{3}\.?\d{3}\.?\d{3}-?\d{2}|\d{14}|[A-Z\d]{2}\.[A-Z\d]{3}\.[A-Z\d]{3}\/[A-Z\d]{4}-\d{2})(?![A-Z\d])/i;

const plain = (text: string): string => text.replace(PUNCTUATION, '').toUpperCase();

/**
 * Brazil's customs want the buyer's CPF or CNPJ, for which an order has no field of its own: themes put it into a cart
 * attribute or into the company of the address. Without punctuation; null elsewhere and when there is none.
 */
export function brazilianTaxIdOf(body: ShopifyOrderBody): string | null {
  const address = body.shipping_address ?? body.billing_address;
  if (address?.country_code?.toUpperCase() !== 'BR') return null;
  const attributes = body.note_attributes
    .filter(({ name }) => name !== null && ATTRIBUTE_NAME.test(name))
    .map(({ value }) => plain(value ?? ''));
  const companies = [body.shipping_address?.company, body.billing_address?.company].map((company) =>
    plain(IN_COMPANY.exec(company ?? '')?.[1] ?? ''),
  );
  return [...attributes, ...companies].find((candidate) => TAX_ID.test(candidate)) ?? null;
}
