import { z } from 'zod';
import { type Answer, type Call, type Dialect, headerOf, json } from '../exchange.ts';
import type { Faults } from '../faults.ts';
import type { LiveSettings } from '../settings.ts';
import { withFaults } from '../with-faults.ts';
import type { AdminApi, AdminRequest } from './admin-api.ts';
import type { AppTokens } from './app-tokens.ts';

export const ADMIN_BASE_PATH = '/admin';

const OLDEST_LIVE = '2026-01';
const LIVE = [OLDEST_LIVE, '2026-04', '2026-07', '2026-10', '2027-01', 'unstable'];

const GraphqlBody = z.object({
  query: z.string().min(1),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});
const GrantBody = z.object({ grant_type: z.string(), client_id: z.string(), client_secret: z.string() });

/** Retired versions are answered by the oldest live one, silently. Null: no such version ever. */
function servedVersion(asked: string): string | null {
  if (LIVE.includes(asked)) return asked;
  return /^20\d\d-(01|04|07|10)$/.test(asked) && asked < OLDEST_LIVE ? OLDEST_LIVE : null;
}

const notFound = (): Answer => json({ errors: 'Not Found' }, 404);

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return null;
  }
}

function readGrant(raw: string, contentType: string | undefined): z.infer<typeof GrantBody> | null {
  const isJson = contentType?.startsWith('application/json') === true;
  const fields = isJson ? parseJson(raw) : Object.fromEntries(new URLSearchParams(raw));
  return GrantBody.safeParse(fields).data ?? null;
}

function grant(
  tokens: AppTokens,
  scopes: readonly string[],
  asked: z.infer<typeof GrantBody> | null,
): Answer {
  if (asked?.grant_type !== 'client_credentials') {
    return json({ error: 'unsupported_grant_type' }, 400);
  }
  const granted = tokens.grant(asked.client_id, asked.client_secret);
  if (granted === null) {
    const body = { error: 'invalid_client', error_description: 'Client credentials are not valid' };
    return json(body, 400);
  }
  return json({
    access_token: granted.accessToken,
    scope: scopes.join(','),
    expires_in: granted.expiresInSeconds,
  });
}

const frontDoorBusy = (): Answer => json({ errors: 'Too many requests' }, 429, { 'retry-after': '2.0' });

/** The shop's Admin API under `ADMIN_BASE_PATH`: one function that answers any request below it. */
export function createShopifyApi(world: {
  admin: AdminApi;
  tokens: AppTokens;
  faults: Faults;
  settings: LiveSettings;
}): Dialect {
  const { admin, tokens, faults, settings } = world;

  const graphql = async (call: Call, version: string): Promise<Answer> => {
    const headers = { 'x-shopify-api-version': version };
    const body = GraphqlBody.safeParse(parseJson(call.body)).data;
    if (body === undefined) {
      const errors = { query: 'Required parameter missing or invalid' };
      return json({ errors }, 400, headers);
    }
    const request: AdminRequest = {
      query: body.query,
      variables: body.variables ?? {},
      operationName: body.operationName ?? null,
    };
    const prepared = admin.prepare(request);
    const operations = 'rootFields' in prepared ? prepared.rootFields : ['invalid'];
    const dialect = { rateLimited: () => json(admin.throttled(), 200, headers) };
    const names = operations.map((name) => `shopify.${name}`);
    return withFaults({ faults, call, dialect }, names, async () => {
      if (!tokens.accepts(headerOf(call, 'x-shopify-access-token'))) {
        const errors = '[API] Invalid API key or access token (unrecognized login or wrong password)';
        return json({ errors }, 401, headers);
      }
      return json(await admin.run(request, prepared), 200, headers);
    });
  };

  return (call) => {
    const path = call.path.slice(ADMIN_BASE_PATH.length);
    if (call.method !== 'POST') return notFound();
    if (path === '/oauth/access_token') {
      const asked = readGrant(call.body, call.headers['content-type']);
      const dialect = { rateLimited: frontDoorBusy };
      return withFaults({ faults, call, dialect }, ['shopify.accessToken'], () =>
        grant(tokens, settings.current().shopifyScopes, asked),
      );
    }
    const version = servedVersion(/^\/api\/([^/]+)\/graphql\.json$/.exec(path)?.[1] ?? '');
    return version === null ? notFound() : graphql(call, version);
  };
}
