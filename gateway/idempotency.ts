import { createHash } from 'node:crypto';
import type { H3Event } from 'h3';
import { IdempotencyKey } from '../contracts/requests/agent-request.ts';
import type { Bus } from '../services/bus/bus.ts';
import { commitAndPublish } from '../services/bus/commit-and-publish.ts';
import type { Say } from '../services/store/outbox.ts';
import type { Sql, Store } from '../services/store/store.ts';
import { refusal } from './problem.ts';

const HEADER = 'idempotency-key';

/** Null: the client sent none. @throws 422 for what is no key. */
export function idempotencyKeyOf(event: H3Event): string | null {
  const key = event.req.headers.get(HEADER);
  if (key === null) return null;
  const result = IdempotencyKey.safeParse(key);
  if (result.success) return key;
  const detail = `the header Idempotency-Key ${result.error.issues[0]?.message}`;
  throw refusal({ status: 422, code: 'body_invalid', detail, fields: [{ path: HEADER, message: detail }] });
}

/** The same for two bodies that say the same, whatever the order of their fields. */
export function bodyHash(body: unknown): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, field]) => [name, sorted(field)]),
    );
  };
  return createHash('sha256')
    .update(JSON.stringify(sorted(body)))
    .digest('hex');
}

/**
 * Does the work of a request once: under a key that was used before, the earlier answer comes back and nothing is done.
 * Work, answer and messages commit together; two requests under one key wait for each other.
 * @throws 409 `idempotency_key_reused` when the key came with another body.
 */
export function doOnce<Answer extends object>(
  ports: { readonly store: Store; readonly bus: Bus },
  request: { readonly route: string; readonly key: string | null; readonly body: unknown },
  work: (sql: Sql, say: Say) => Promise<Answer>,
): Promise<Answer> {
  const { route, key, body } = request;
  return commitAndPublish(ports.store, ports.bus, async (sql, say) => {
    if (key === null) return work(sql, say);
    const hash = bodyHash(body);
    await sql.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`${route} ${key}`]);
    const [earlier] = await sql.query<{ hash: string; answer: Answer }>(
      'select body_hash as hash, answer from api_requests where route = $1 and key = $2',
      [route, key],
    );
    if (earlier !== undefined && earlier.hash !== hash) {
      const detail = 'this Idempotency-Key came with another body before: take a new key for a new request';
      throw refusal({ status: 409, code: 'idempotency_key_reused', detail });
    }
    if (earlier !== undefined) return earlier.answer;
    const answer = await work(sql, say);
    await sql.run('insert into api_requests (route, key, body_hash, answer) values ($1, $2, $3, $4::json)', [
      route,
      key,
      hash,
      JSON.stringify(answer),
    ]);
    return answer;
  });
}
