import type { z } from 'zod';
import type { FieldProblem } from '../../contracts/errors.ts';
import { shopifyVersionOf } from '../../contracts/settings.ts';
import { missingScopes } from '../../contracts/shopify-scopes.ts';
import { SUBSCRIBED_TOPICS, topicEnumOf } from '../../contracts/webhook-topics.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import type { Sql } from '../store/store.ts';
import type { AdminClient } from './admin-client.ts';
import { allNodes } from './connection.ts';
import { underLease } from './order-lease.ts';
import { type Ask, asking } from './read-work.ts';
import { askReleases } from './release-refused.ts';
import { ShopError } from './shop-error.ts';
import {
  SUBSCRIBE,
  SUBSCRIPTIONS,
  SubscribeAnswer,
  SubscriptionsAnswer,
  WHO_AM_I,
  WhoAmIAnswer,
} from './shop-operations.ts';
import type { ShopPorts } from './shop-ports.ts';

/** A subscription that fails eight times in a row is deleted by Shopify, so this is also how long it may be missing. */
const CHECK_EVERY = '1 hour';
/** While the shop lets nobody in or the app is uninstalled: installed again, it has none of its subscriptions. */
const CHECK_SHUT_EVERY = '5 minutes';
/** Of the problem that the shop refuses to be asked. */
const SHUT = 'shopify';

async function readSubscriptions(ask: Ask) {
  const read = async (after: string | null) =>
    (await ask(SUBSCRIPTIONS, { after }, SubscriptionsAnswer)).webhookSubscriptions;
  return allNodes(await read(null), read);
}

/** Empty where the subscription is there now. */
function refusalOf({ webhookSubscriptionCreate }: z.infer<typeof SubscribeAnswer>): string {
  const { userErrors } = webhookSubscriptionCreate;
  // Another copy was there first.
  const refusals = userErrors.filter(({ message }) => !/already.*taken/i.test(message));
  return refusals.map(({ message }) => message).join(' ');
}

const isUnanswered = (error: unknown): boolean =>
  error instanceof ShopError && error.failureClass === 'unknown_outcome';

/** A topic that the shop does not know, not for this app or not for now, is no reason to go without the others. */
function refusalOfTopic(error: unknown): string {
  if (isUnanswered(error)) return 'the shop gave no clear answer';
  if (!(error instanceof ShopError) || !('codes' in error.evidence)) throw error;
  if (error.failureClass !== 'permanent' && error.failureClass !== 'auth') throw error;
  return String(error.evidence.message ?? error.message);
}

/** Makes what is missing at our address; whatever stands at another address is somebody's own. */
async function subscribe(ask: Ask, baseUrl: string): Promise<FieldProblem[]> {
  const standing = new Set((await readSubscriptions(ask)).map(({ topic, uri }) => `${topic} ${uri}`));
  const problems: FieldProblem[] = [];
  for (const topic of SUBSCRIBED_TOPICS) {
    const uri = `${baseUrl}/webhooks/shopify/${topic}`;
    const name = topicEnumOf(topic);
    if (standing.has(`${name} ${uri}`)) continue;
    const variables = { topic: name, subscription: { uri, format: 'JSON' } };
    const make = () => ask(SUBSCRIBE, variables, SubscribeAnswer);
    const makeAgain = (error: unknown) => {
      // A second one is refused as taken, and the next look is an hour away.
      if (isUnanswered(error)) return make();
      throw error;
    };
    const said = await make().catch(makeAgain).then(refusalOf, refusalOfTopic);
    if (said === '') continue;
    problems.push({ path: topic, message: `no webhook of ${topic} can be had: ${said.slice(0, 200)}` });
  }
  return problems;
}

interface Finding {
  /** Null when the shop did not say. */
  readonly scopes: readonly string[] | null;
  /** In which the shop's days begin; null when it did not say. */
  readonly timeZone: string | null;
  readonly problems: readonly FieldProblem[];
}

async function look(admin: AdminClient, { settings }: ShopPorts): Promise<Finding> {
  const {
    SHOPIFY_SHOP_URL: shop,
    SHOPIFY_WEBHOOK_BASE_URL: baseUrl,
    SHOPIFY_API_VERSION: version,
  } = settings;
  const ask = asking(admin, 'read');
  let scopes: readonly string[] | null = null;
  let timeZone: string | null = null;
  const problems: FieldProblem[] = [];
  try {
    const answer = await ask(WHO_AM_I, {}, WhoAmIAnswer);
    scopes = answer.currentAppInstallation.accessScopes.map(({ handle }) => handle);
    timeZone = answer.shop.ianaTimezone ?? null;
    const domain = answer.shop.myshopifyDomain;
    if (domain !== shop)
      problems.push({
        path: 'SHOPIFY_SHOP_URL',
        message: `the login belongs to ${domain}: webhooks of that shop are refused here`,
      });
    const served = admin.servedVersion() ?? shopifyVersionOf(settings);
    if (served !== version)
      problems.push({
        path: 'SHOPIFY_API_VERSION',
        message: `${version} is answered by ${served}: set a version that Shopify serves`,
      });
    if (baseUrl !== undefined) problems.push(...(await subscribe(ask, baseUrl)));
  } catch (error) {
    if (!(error instanceof ShopError) || error.retryable) throw error;
    const { failureClass, evidence } = error;
    const operation = String(evidence.operation ?? '');
    problems.push({ path: SHUT, message: `the shop refuses ${operation}: ${failureClass}` });
  }
  return { scopes, timeZone, problems };
}

/** As it was last known: the webhook that tells of a change may be lost, and with a missing scope some are. */
async function lackedScopes(sql: Sql, shop: string): Promise<boolean> {
  const [known] = await sql.query<{ scopes: readonly string[] | null }>(
    'select scopes from shop_status where shop = $1',
    [shop],
  );
  return known?.scopes != null && missingScopes(known.scopes).length > 0;
}

/** Holds that are asked to be released at once when all scopes are there again: it is seen only once. */
const MOST_DENIED = 10_000;

/**
 * Looks whether the shop lets this app do its work: login, API version, scopes, webhook subscriptions, of which the
 * missing ones are made where a public address is set. What it finds stands in `shop_status` and in the log.
 */
export async function checkShop(ports: ShopPorts): Promise<void> {
  const { admin, store, bus, settings, log } = ports;
  const shop = settings.SHOPIFY_SHOP_URL;
  if (admin === undefined || shop === undefined) return;
  await underLease(ports, `check:${shop}`, async () => {
    const [now] = await store.query<{ began: string }>('select now() as began');
    if (now === undefined) throw new RangeError('the database told no time');
    const began = new Date(now.began);
    const { scopes, timeZone, problems } = await look(admin, ports);
    await commitAndPublish(store, bus, async (sql, say) => {
      const isRegranted =
        scopes !== null && missingScopes(scopes).length === 0 && (await lackedScopes(sql, shop));
      await sql.run(
        `insert into shop_status as s (shop, scopes, problems, time_zone, checked_at) values ($1, $2::json, $3::json, $4, now())
       on conflict (shop) do update set scopes = coalesce(excluded.scopes, s.scopes), problems = excluded.problems,
         time_zone = coalesce(excluded.time_zone, s.time_zone), checked_at = now(), uninstalled_at = case when excluded.scopes is null then s.uninstalled_at end`,
        [shop, scopes === null ? null : JSON.stringify(scopes), JSON.stringify(problems), timeZone],
      );
      if (isRegranted) await askReleases(sql, say, { before: began, whole: began, limit: MOST_DENIED });
    });
    const lacking = scopes === null ? [] : missingScopes(scopes);
    const sentences = [...lacking, ...problems.map(({ message }) => message)];
    for (const problem of sentences) log.warn({ shop, problem }, 'the shop needs a look');
    if (sentences.length === 0) log.info({ shop }, 'the shop is as it must be');
  });
}

/** One round: at the start, and again whenever no copy has looked for an hour, or for minutes where the shop is shut. */
export function hourlyCheck(ports: ShopPorts): () => Promise<'idle'> {
  let isFirst = true;
  return async () => {
    const [recent] = await ports.store.query(
      `select 1 from shop_status
        where shop = $1 and checked_at > now() - case
              when uninstalled_at is not null or problems::jsonb @> jsonb_build_array(jsonb_build_object('path', $4::text))
              then $3::interval else $2::interval end`,
      [ports.settings.SHOPIFY_SHOP_URL ?? '', CHECK_EVERY, CHECK_SHUT_EVERY, SHUT],
    );
    if (isFirst || recent === undefined) await checkShop(ports);
    isFirst = false;
    return 'idle';
  };
}
