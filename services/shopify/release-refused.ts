import { RELEASE_REQUESTED, type ReleaseRequested } from '../../contracts/events/release-requested.ts';
import { missingScopes } from '../../contracts/shopify-scopes.ts';
import type { HoldReason } from '../../contracts/vocabulary.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import type { Say } from '../store/outbox.ts';
import type { Sql } from '../store/store.ts';
import type { ShopPorts } from './shop-ports.ts';

/**
 * SQL: the shop let nobody in, as far as the evidence tells: it is shut (see `judge`), or the login was rejected. That is the
 * same for every question, so that one that was answered proves it over. Not 403, nor a denied access: a scope may be
 * missing for some questions and not for others, until the shop tells that the app has all of them.
 */
const LET_NOBODY_IN = `(evidence ->> 'failureClass' = 'account_blocked' or evidence ->> 'status' = '401' or evidence ->> 'during' = 'login')`;
const LIMIT = 500;
/** SQL: refused for want of a scope, as far as its evidence tells. */
const DENIED = `(evidence ->> 'status' = '403' or evidence ->> 'codes' like '%ACCESS_DENIED%')`;

interface RefusedHold {
  readonly id: string;
  readonly orderId: string;
  readonly reason: HoldReason;
  readonly opening: string;
}

/** When the shop last told which scopes the app has, where none is missing by that; else null. */
async function wholeSince({ store, settings }: ShopPorts): Promise<Date | null> {
  const [told] = await store.query<{ scopes: readonly string[] | null; at: Date | null }>(
    `select scopes, (select max(received_at) from webhooks
                      where order_id is null and source = 'shopify:' || $1 and topic = 'app/scopes_update') as at
       from shop_status
      where shop = $1 and exists (select 1 from holds where released_at is null and ${DENIED})`,
    [settings.SHOPIFY_SHOP_URL ?? ''],
  );
  return told?.scopes && missingScopes(told.scopes).length === 0 ? told.at : null;
}

/**
 * Asks for the release of what was held before that moment: because the shop let nobody in, or,
 * before `whole`, for want of a scope. @returns how many.
 */
export async function askReleases(
  sql: Sql,
  say: Say,
  { before, whole, limit }: { readonly before: Date; readonly whole: Date | null; readonly limit: number },
): Promise<number> {
  const holds = await sql.query<RefusedHold>(
    `select id, order_id as "orderId", reason, (extract(epoch from opened_at) * 1000)::bigint::text as opening
       from holds
      where released_at is null and opened_at < $1 and evidence ->> 'refusedBy' = 'shop'
        and (${LET_NOBODY_IN} or opened_at < $3::timestamptz and ${DENIED})
      order by opened_at limit $2`,
    [before, limit, whole],
  );
  for (const { id, orderId, reason, opening } of holds) {
    const data: ReleaseRequested = { orderId, reason, holdId: id };
    // The same release of the same opening is the same message.
    const messageId = `reopened:${id}:${opening}`;
    say(eventRow({ messageId, source: '/shopify', type: RELEASE_REQUESTED, data }));
  }
  return holds.length;
}

/**
 * Asks for the release of what was held because the shop let nobody in, or not this app for want of a scope. Call it
 * when the shop has answered.
 * @param before when that question was asked: what was refused later is not proven over.
 */
export async function releaseRefused(ports: ShopPorts, before: Date): Promise<void> {
  const { store, bus, log } = ports;
  const whole = await wholeSince(ports);
  const asked = await commitAndPublish(store, bus, (sql, say) =>
    askReleases(sql, say, { before, whole, limit: LIMIT }),
  );
  if (asked > 0) log.info({ holds: asked }, 'the shop answers again: what it had refused is asked for anew');
}
