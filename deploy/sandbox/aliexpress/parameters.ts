import type { Call } from '../exchange.ts';

export type Parameters = Readonly<Record<string, string>>;

/** Parameters may come in the query, in a form body, or split over both. */
export function readParameters({ method, headers, query, body }: Call): Parameters {
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  const form = new URLSearchParams(method === 'POST' && isForm ? body : '');
  return Object.fromEntries([...query, ...form]);
}
