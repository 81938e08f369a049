import { timingSafeEqual } from 'node:crypto';
import type { H3Event } from 'h3';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { allows, type Scope } from '../contracts/resources/api-key.ts';
import { digestOf, findKey, type StoredKey } from '../services/store/api-keys.ts';
import type { Sql } from '../services/store/store.ts';
import { refusal } from './problem.ts';

/** Refuses a request whose key is missing, unknown, too weak or too busy. */
export type Guard = (event: H3Event, wanted: Scope) => Promise<void>;

/** How long a copy believes what it read of a key: a revoked one is refused everywhere after this. */
const BELIEVED_MS = 10_000;
/** Keys that are remembered; strangers with invented keys must not fill the memory. */
const MOST_REMEMBERED = 1_000;
const OWNER = 'owner';
const CREW = 'crew';

const holders = new WeakMap<H3Event, string>();

/** Whose key a request came with, once the guard has let it in: `owner`, `crew`, or `key:` with the key's id. */
export const holderOf = (event: H3Event): string => holders.get(event) ?? 'unknown';

const isSame = (given: Buffer, expected: Buffer): boolean => timingSafeEqual(given, expected);

const unauthorized = (detail: string) =>
  refusal({
    status: 401,
    code: 'unauthorized',
    detail,
    headers: { 'www-authenticate': 'ApiKey realm="order-manager"' },
  });

/** HTTP hands every header over as Latin-1; curl sends what it is given, which is UTF-8 on most machines. */
const asUtf8 = (header: string): string => Buffer.from(header, 'latin1').toString('utf8');

/** Reads of the key table, each believed for a while: not by the hour, which may be set back. */
function createKeyMemory(sql: Sql): (key: string) => Promise<StoredKey | undefined> {
  const known = new Map<string, { row: StoredKey | undefined; until: number }>();
  return async (key) => {
    const digest = digestOf(key).toString('hex');
    const remembered = known.get(digest);
    if (remembered !== undefined && remembered.until > performance.now()) return remembered.row;
    const row = await findKey(sql, key);
    known.delete(digest);
    known.set(digest, { row, until: performance.now() + BELIEVED_MS });
    const [oldest] = known.keys();
    if (known.size > MOST_REMEMBERED && oldest !== undefined) known.delete(oldest);
    return row;
  };
}

/**
 * Takes ORDER_MANAGER_API_KEY (`owner`), which may do everything, the named keys of the database, and `crew`, made by
 * this process for requests that came over NATS, where nothing is for the owner alone. Digests of equal length are
 * compared, so that time tells nothing about a key. Each key has its own allowance of requests, in this copy.
 * @param requestsPerMinute for each key.
 */
export function createApiKeyGuard(
  sql: Sql,
  keys: { readonly owner: string; readonly crew: string },
  requestsPerMinute: number,
): Guard {
  const [ownersDigest, crewsDigest] = [digestOf(keys.owner), digestOf(keys.crew)];
  const find = createKeyMemory(sql);
  const allowance = new RateLimiterMemory({ points: requestsPerMinute, duration: 60 });

  const findHolder = async (given: string): Promise<{ name: string; scope: Scope } | undefined> => {
    const digest = digestOf(given);
    if (isSame(digest, ownersDigest) || isSame(digestOf(asUtf8(given)), ownersDigest))
      return { name: OWNER, scope: 'admin' };
    if (isSame(digest, crewsDigest)) return { name: CREW, scope: 'write' };
    const row = await find(given);
    return row !== undefined && isSame(digest, Buffer.from(row.digest, 'hex'))
      ? { name: `key:${row.id}`, scope: row.scope }
      : undefined;
  };

  return async (event, wanted) => {
    const given = event.req.headers.get('x-api-key');
    if (given === null) throw unauthorized('the header X-API-Key is missing');
    const holder = await findHolder(given);
    if (holder === undefined) throw unauthorized('the header X-API-Key is not right');
    if (!allows(holder.scope, wanted)) {
      const detail = `this key may ${holder.scope}, and this needs one that may ${wanted}`;
      throw refusal({ status: 403, code: 'forbidden', detail });
    }
    holders.set(event, holder.name);
    await allowance.consume(holder.name).catch((error: unknown) => {
      if (!(error instanceof RateLimiterRes)) throw error;
      const seconds = String(Math.ceil(error.msBeforeNext / 1_000));
      const detail = `this key may make ${requestsPerMinute} requests a minute: come back in ${seconds} s`;
      throw refusal({ status: 429, code: 'too_many_requests', detail, headers: { 'retry-after': seconds } });
    });
  };
}
