import { createHash, timingSafeEqual } from 'node:crypto';
import type { H3Event } from 'h3';
import { refusal } from './problem.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export type Guard = (event: H3Event) => void;

/** Refuses requests without the key. Digests of equal length are compared, so that time tells nothing about it. */
export function createApiKeyGuard(apiKey: string): Guard {
  const expected = digest(apiKey);
  return (event) => {
    const given = event.req.headers.get('x-api-key');
    if (given !== null && timingSafeEqual(digest(given), expected)) return;
    throw refusal({
      status: 401,
      code: 'unauthorized',
      detail: given === null ? 'the header X-API-Key is missing' : 'the header X-API-Key is not right',
      headers: { 'www-authenticate': 'ApiKey realm="order-manager"' },
    });
  };
}
