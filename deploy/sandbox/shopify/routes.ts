import type { H3Event } from 'h3';
import { z } from 'zod';
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

const notFound = (): Response => Response.json({ errors: 'Not Found' }, { status: 404 });

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return null;
  }
}

function readGrant(raw: string, contentType: string | null): z.infer<typeof GrantBody> | null {
  const isJson = contentType?.startsWith('application/json') === true;
  const fields = isJson ? parseJson(raw) : Object.fromEntries(new URLSearchParams(raw));
  return GrantBody.safeParse(fields).data ?? null;
}

function grant(
  tokens: AppTokens,
  scopes: readonly string[],
  asked: z.infer<typeof GrantBody> | null,
): Response {
  if (asked?.grant_type !== 'client_credentials') {
    return Response.json({ error: 'unsupported_grant_type' }, { status: 400 });
  }
  const granted = tokens.grant(asked.client_id, asked.client_secret);
  if (granted === null) {
    const body = { error: 'invalid_client', error_description: 'Client credentials are not valid' };
    return Response.json(body, { status: 400 });
  }
  return Response.json({
    access_token: granted.accessToken,
    scope: scopes.join(','),
    expires_in: granted.expiresInSeconds,
  });
}

const frontDoorBusy = (): Response =>
  Response.json({ errors: 'Too many requests' }, { status: 429, headers: { 'retry-after': '2.0' } });

/** The shop's Admin API under `ADMIN_BASE_PATH`: one function that answers any request below it. */
export function createShopifyApi(world: {
  admin: AdminApi;
  tokens: AppTokens;
  faults: Faults;
  settings: LiveSettings;
}): (event: H3Event) => Promise<Response> {
  const { admin, tokens, faults, settings } = world;

  const graphql = async (event: H3Event, version: string): Promise<Response> => {
    const headers = { 'x-shopify-api-version': version };
    const body = GraphqlBody.safeParse(parseJson(await event.req.text())).data;
    if (body === undefined) {
      const errors = { query: 'Required parameter missing or invalid' };
      return Response.json({ errors }, { status: 400, headers });
    }
    const request: AdminRequest = {
      query: body.query,
      variables: body.variables ?? {},
      operationName: body.operationName ?? null,
    };
    const prepared = admin.prepare(request);
    const operations = 'rootFields' in prepared ? prepared.rootFields : ['invalid'];
    const dialect = { rateLimited: () => Response.json(admin.throttled(), { headers }) };
    const names = operations.map((name) => `shopify.${name}`);
    return withFaults({ faults, event, dialect }, names, async () => {
      if (!tokens.accepts(event.req.headers.get('x-shopify-access-token'))) {
        const errors = '[API] Invalid API key or access token (unrecognized login or wrong password)';
        return Response.json({ errors }, { status: 401, headers });
      }
      return Response.json(await admin.run(request, prepared), { headers });
    });
  };

  return async (event) => {
    const path = event.url.pathname.slice(ADMIN_BASE_PATH.length);
    if (event.req.method !== 'POST') return notFound();
    if (path === '/oauth/access_token') {
      const asked = readGrant(await event.req.text(), event.req.headers.get('content-type'));
      const dialect = { rateLimited: frontDoorBusy };
      return withFaults({ faults, event, dialect }, ['shopify.accessToken'], () =>
        grant(tokens, settings.current().shopifyScopes, asked),
      );
    }
    const version = servedVersion(/^\/api\/([^/]+)\/graphql\.json$/.exec(path)?.[1] ?? '');
    return version === null ? notFound() : graphql(event, version);
  };
}
