import type { H3Event } from 'h3';

export type Parameters = Readonly<Record<string, string>>;

/** Parameters may come in the query, in a form body, or split over both. */
export async function readParameters({ req, url }: H3Event): Promise<Parameters> {
  const isForm = req.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded') === true;
  const body = new URLSearchParams(req.method === 'POST' && isForm ? await req.text() : '');
  return Object.fromEntries([...url.searchParams, ...body]);
}
