import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import type { ReserveCall, SupplierToken, TokenStore } from '../../services/suppliers/adapter-parts.ts';
import { type CjRequest, createCjClient } from '../../services/suppliers/cj-dropshipping/client.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { byFetch } from '../fixtures/by-fetch.ts';

const IN_A_DAY = new Date(Date.now() + 86_400_000).toISOString();
const A_DAY_AGO = new Date(Date.now() - 86_400_000).toISOString();
const never = new AbortController().signal;

const aToken = (changes: Partial<SupplierToken> = {}): SupplierToken => ({
  accessToken: 'access-1',
  accessExpiresAt: IN_A_DAY,
  refreshToken: 'refresh-1',
  refreshExpiresAt: IN_A_DAY,
  accountId: '987654321',
  ...changes,
});

function aStore(token: SupplierToken | null, lock = never): TokenStore & { now(): SupplierToken | null } {
  let kept = token;
  let loginAt = 0;
  return {
    loginPauseMs: async () => Math.max(0, loginAt - Date.now()),
    pauseLogins: async (ms) => {
      loginAt = Date.now() + ms;
    },
    now: () => kept,
    read: async () => kept,
    async renew(renew) {
      kept = await renew(kept, lock);
      return kept;
    },
  };
}

interface Sent {
  readonly path: string;
  readonly token: string | null;
  readonly body: unknown;
}

type Script = (sent: Sent, signal: AbortSignal) => Response | Promise<Response>;

const answer = (code: number, data: unknown = null, message = ''): Response =>
  Response.json({ code, result: code === 200, message, data, requestId: 'r1' });

const tokens = (n: number): Response =>
  answer(200, {
    openId: 987654321,
    accessToken: `access-${n}`,
    accessTokenExpiryDate: IN_A_DAY,
    refreshToken: `refresh-${n}`,
    refreshTokenExpiryDate: IN_A_DAY,
  });

function aClient(
  script: Script,
  store: TokenStore = aStore(aToken()),
  reserve: ReserveCall = async () => {},
) {
  const sent: Sent[] = [];
  const send: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const text = await request.text();
    const one = {
      path: new URL(request.url).pathname.replace('/api2.0/v1', ''),
      token: request.headers.get('CJ-Access-Token'),
      body: text === '' ? null : JSON.parse(text),
    };
    sent.push(one);
    return script(one, request.signal);
  };
  const client = createCjClient({
    baseUrl: 'http://cj.example/',
    apiKey: 'CJ1@api@key',
    tokens: store,
    reserve,
    send: byFetch(send),
  });
  return { client, sent };
}

const request = (kind: CjRequest['kind'], changes: Partial<CjRequest> = {}): CjRequest => ({
  method: 'POST',
  path: '/thing',
  body: { n: 1 },
  kind,
  priority: 'query',
  ...changes,
});

const failureOf = async (promise: Promise<unknown>): Promise<SupplierError> => {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SupplierError)) throw new Error('expected a SupplierError', { cause: error });
  return error;
};

const call = (script: Script, kind: CjRequest['kind'], changes: Partial<CjRequest> = {}) =>
  aClient(script).client.call(request(kind, changes), z.object({ ok: z.boolean() }), never);

test('a call carries the token and answers the data', async () => {
  const { client, sent } = aClient(() => answer(200, { ok: true }));
  await expect(client.call(request('read'), z.object({ ok: z.boolean() }), never)).resolves.toEqual({
    ok: true,
  });
  expect(sent).toEqual([{ path: '/thing', token: 'access-1', body: { n: 1 } }]);
});

test.each([
  ['an answer that is no JSON', () => new Response('<html>maint')],
  ['an empty answer', () => new Response('')],
  ['JSON that is no envelope', () => Response.json({ hello: 'world' })],
  ['a server error', () => new Response('oops', { status: 500 })],
  [
    'a server error with a fine body',
    () => Response.json({ code: 200, result: true, data: { ok: true } }, { status: 500 }),
  ],
  ['a redirect', () => new Response(null, { status: 307, headers: { location: 'http://evil.example/' } })],
  [
    'a cut connection',
    () => Promise.reject(Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' })),
  ],
] as const)('%s is doubt on a write and passing on a read', async (_, script) => {
  expect((await failureOf(call(script, 'write'))).failureClass).toBe('unknown_outcome');
  expect((await failureOf(call(script, 'read'))).failureClass).toBe('transient');
});

test('a success that says result false, and data of an unknown shape, are doubt on a write and final on a read', async () => {
  const contradiction = () => Response.json({ code: 200, result: false, message: 'hm', data: { ok: true } });
  const odd = () => answer(200, { strange: 1 });
  for (const script of [contradiction, odd]) {
    expect((await failureOf(call(script, 'write'))).failureClass).toBe('unknown_outcome');
    expect((await failureOf(call(script, 'read'))).failureClass).toBe('permanent');
  }
});

test('HTTP 429 without message and data is throttled', async () => {
  const script = () =>
    Response.json({ code: 429, result: false, pointsInfo: { remaining: 0 } }, { status: 429 });
  expect((await failureOf(call(script, 'write'))).failureClass).toBe('throttled');
});

test('a parameter error is "not found" for look-ups only', async () => {
  const script = () => answer(1600300, null, 'Param error');
  expect((await failureOf(call(script, 'read', { isLookUp: true }))).failureClass).toBe('not_found');
  expect((await failureOf(call(script, 'read'))).failureClass).toBe('invalid_input');
});

const broken = (code: string, syscall?: string): Error =>
  Object.assign(new Error(code), { code, ...(syscall === undefined ? {} : { syscall }) });

test.each([
  ['that is refused', broken('ECONNREFUSED')],
  ['to a host that no way leads to', broken('EHOSTUNREACH', 'connect')],
  ['without a network', broken('ENETUNREACH', 'connect')],
  ['that nobody takes up', broken('ETIMEDOUT', 'connect')],
  [
    'to none of the host’s addresses',
    Object.assign(new AggregateError([broken('ETIMEDOUT', 'connect'), broken('ENETUNREACH', 'connect')]), {
      code: 'ETIMEDOUT',
    }),
  ],
])('a connection %s never came about and bought nothing', async (_, cause) => {
  const error = await failureOf(call(() => Promise.reject(cause), 'write'));
  expect(error).toMatchObject({ failureClass: 'transient', evidence: { sent: false } });
});

test('a connection that breaks later may have bought', async () => {
  for (const cause of [broken('EHOSTUNREACH', 'read'), broken('ETIMEDOUT', 'read'), broken('ECONNRESET')])
    expect((await failureOf(call(() => Promise.reject(cause), 'write'))).failureClass).toBe(
      'unknown_outcome',
    );
});

test('an abort in flight is doubt, an abort while waiting for leave is not', async () => {
  const inFlight = new AbortController();
  const hanging = aClient(() => {
    inFlight.abort();
    return Promise.reject(inFlight.signal.reason);
  });
  const doubt = await failureOf(hanging.client.call(request('write'), z.unknown(), inFlight.signal));
  expect(doubt).toMatchObject({ failureClass: 'unknown_outcome', evidence: { network: 'aborted' } });

  const waiting = new AbortController();
  const { client, sent } = aClient(
    () => answer(200),
    aStore(aToken()),
    async () => waiting.abort(),
  );
  const unsent = await failureOf(client.call(request('write'), z.unknown(), waiting.signal));
  expect(unsent).toMatchObject({ failureClass: 'transient', evidence: { sent: false } });
  expect(sent).toEqual([]);
});

test('evidence repeats neither mail addresses nor phone numbers', async () => {
  const script = () => answer(1600300, null, 'Param error: ann@shop.example, +1 310 555 0100 is invalid');
  const { evidence } = await failureOf(call(script, 'write'));
  expect(evidence.message).toBe('Param error: … … is invalid');
  expect(evidence).toMatchObject({ code: 1600300, requestId: 'r1', httpStatus: 200, path: '/thing' });
});

test('without a token the key is exchanged for a pair first', async () => {
  const store = aStore(null);
  const script: Script = ({ path }) => (path.endsWith('getAccessToken') ? tokens(2) : answer(200, {}));
  const { client, sent } = aClient(script, store);
  await client.call(request('write'), z.unknown(), never);
  await client.call(request('write'), z.unknown(), never);
  expect(sent.map(({ path, token }) => [path, token])).toEqual([
    ['/authentication/getAccessToken', null],
    ['/thing', 'access-2'],
    ['/thing', 'access-2'],
  ]);
  expect(sent[0]?.body).toEqual({ apiKey: 'CJ1@api@key' });
  expect(store.now()).toMatchObject({ refreshToken: 'refresh-2', accountId: '987654321' });
});

const onlyAccepts =
  (accepted: string, refresh: () => Response): Script =>
  ({ path, token }) => {
    if (path.endsWith('refreshAccessToken')) return refresh();
    if (path.endsWith('getAccessToken')) return tokens(3);
    return token === accepted ? answer(200, {}) : answer(1600001, null, 'Invalid access token');
  };

test('a rejected token is refreshed and the call repeated once, a purchase too', async () => {
  const store = aStore(aToken());
  const { client, sent } = aClient(
    onlyAccepts('access-2', () => tokens(2)),
    store,
  );
  await client.call(request('write'), z.unknown(), never);
  expect(sent.map(({ path }) => path)).toEqual(['/thing', '/authentication/refreshAccessToken', '/thing']);
  expect(sent[1]?.body).toEqual({ refreshToken: 'refresh-1' });
  expect(store.now()?.refreshToken).toBe('refresh-2');
});

test('a dead refresh token falls back to the key', async () => {
  const { client, sent } = aClient(onlyAccepts('access-3', () => answer(1600003)));
  await client.call(request('read'), z.unknown(), never);
  expect(sent.map(({ path }) => path)).toEqual([
    '/thing',
    '/authentication/refreshAccessToken',
    '/authentication/getAccessToken',
    '/thing',
  ]);
});

test('a token that comes after the lock has ended is not waited for', async () => {
  const lock = new AbortController();
  const store = aStore(aToken({ accessExpiresAt: A_DAY_AGO }), lock.signal);
  const script: Script = (_, signal) =>
    new Promise((_answer, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      lock.abort();
    });
  const { client, sent } = aClient(script, store);
  expect(await failureOf(client.call(request('write'), z.object({}), never))).toMatchObject({
    failureClass: 'transient',
  });
  expect(sent.map(({ path }) => path)).toEqual(['/authentication/refreshAccessToken']);
});

test('a pair that another copy has renewed meanwhile is taken as it is', async () => {
  const store = aStore(aToken());
  const { client, sent } = aClient(
    onlyAccepts('access-9', () => tokens(2)),
    {
      ...store,
      renew: (renew) => renew(aToken({ accessToken: 'access-9' }), never),
    },
  );
  await client.call(request('read'), z.unknown(), never);
  expect(sent.map(({ path }) => path)).toEqual(['/thing', '/thing']);
});

test('an expired token is renewed before it is used', async () => {
  const { client, sent } = aClient(
    onlyAccepts('access-2', () => tokens(2)),
    aStore(aToken({ accessExpiresAt: A_DAY_AGO })),
  );
  await client.call(request('read'), z.unknown(), never);
  expect(sent.map(({ path }) => path)).toEqual(['/authentication/refreshAccessToken', '/thing']);
});

test('a token that was replaced again while its call waited says nothing about the account', async () => {
  const store = aStore(aToken());
  const accepted = onlyAccepts('access-3', () => tokens(2));
  const script: Script = async (sending, signal) => {
    if (sending.token === 'access-2')
      await store.renew(async () => aToken({ accessToken: 'access-3', refreshToken: 'refresh-3' }));
    return accepted(sending, signal);
  };
  const { client, sent } = aClient(script, store);
  await client.call(request('write'), z.unknown(), never);
  expect(sent.map(({ path, token }) => [path, token])).toEqual([
    ['/thing', 'access-1'],
    ['/authentication/refreshAccessToken', null],
    ['/thing', 'access-2'],
    ['/thing', 'access-3'],
  ]);
});

test('a token that another copy had brought, and that is dead by now, is renewed as any other', async () => {
  const store = aStore(aToken());
  const accepted = onlyAccepts('access-3', () => tokens(3));
  const script: Script = async (sending, signal) => {
    if (sending.token === 'access-1') await store.renew(async () => aToken({ accessToken: 'access-2' }));
    return accepted(sending, signal);
  };
  const { client, sent } = aClient(script, store);
  await client.call(request('write'), z.unknown(), never);
  expect(sent.map(({ path, token }) => [path, token])).toEqual([
    ['/thing', 'access-1'],
    ['/thing', 'access-2'],
    ['/authentication/refreshAccessToken', null],
    ['/thing', 'access-3'],
  ]);
});

test('a token that stays rejected ends as auth after one repetition', async () => {
  const { client, sent } = aClient(onlyAccepts('none', () => tokens(2)));
  expect((await failureOf(client.call(request('write'), z.unknown(), never))).failureClass).toBe('auth');
  expect(sent).toHaveLength(3);
});

test.each([
  [1605000, 'write', true],
  [1605001, 'write', true],
  [1605001, 'read', undefined],
  [1605002, 'write', undefined],
] as const)(
  'the code %i on a %s says whether freight may be reckoned anew: %s',
  async (code, kind, quoteAgain) => {
    const { client } = aClient(() => answer(code));
    const { failureClass, evidence } = await failureOf(client.call(request(kind), z.unknown(), never));
    expect([failureClass, evidence.quoteAgain]).toEqual(['not_shippable', quoteAgain]);
  },
);

test.each([
  ['refused key', 1600001, 'auth'],
  ['login that came too soon', 1600200, 'throttled'],
])('a %s is not tried again at once', async (_name, code, failureClass) => {
  const { client, sent } = aClient(() => answer(code), aStore(null));
  for (const _ of [1, 2, 3]) {
    expect((await failureOf(client.call(request('write'), z.unknown(), never))).failureClass).toBe(
      failureClass,
    );
  }
  expect(sent.map(({ path }) => path)).toEqual(['/authentication/getAccessToken']);
});

test('a refused key is tried again after its pause, though the clock was set back meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const { client, sent } = aClient(() => answer(1600001), aStore(null));
  const refused = () => failureOf(client.call(request('write'), z.unknown(), never));
  expect((await refused()).failureClass).toBe('auth');
  vi.setSystemTime(Date.now() - 86_400_000);
  vi.advanceTimersByTime(4 * 60_000);
  await refused();
  expect(sent).toHaveLength(1);
  vi.advanceTimersByTime(2 * 60_000);
  await refused();
  expect(sent).toHaveLength(2);
});

test('where refresh token and key were both refused, neither is tried again at once', async () => {
  const { client, sent } = aClient(({ path }) =>
    answer(path.endsWith('refreshAccessToken') ? 1600003 : 1600001),
  );
  for (const _ of [1, 2, 3])
    expect((await failureOf(client.call(request('read'), z.unknown(), never))).failureClass).toBe('auth');
  expect(sent.map(({ path }) => path)).toEqual([
    '/thing',
    '/authentication/refreshAccessToken',
    '/authentication/getAccessToken',
    '/thing',
    '/thing',
  ]);
});

test('a purchase whose token could not be had was never sent, so there is no doubt', async () => {
  const outage = aClient(() => new Response('', { status: 500 }), aStore(null));
  expect((await failureOf(outage.client.call(request('write'), z.unknown(), never))).failureClass).toBe(
    'transient',
  );

  const broken = { ...aStore(null), read: () => Promise.reject(new Error('database is gone')) };
  const error = await failureOf(
    aClient(() => answer(200), broken).client.call(request('write'), z.unknown(), never),
  );
  expect(error).toMatchObject({ failureClass: 'transient', evidence: { sent: false, step: 'token' } });
});

test('a token that is rejected under the code of many meanings is renewed once, also for a purchase', async () => {
  const dead = () => answer(1600100, null, 'Invalid API key or access token');
  const script: Script = ({ path, token }) =>
    path.endsWith('refreshAccessToken') ? tokens(2) : token === 'access-2' ? answer(200, {}) : dead();
  const { client, sent } = aClient(script);
  await client.call(request('write'), z.unknown(), never);
  expect(sent.map(({ path, token }) => [path, token])).toEqual([
    ['/thing', 'access-1'],
    ['/authentication/refreshAccessToken', null],
    ['/thing', 'access-2'],
  ]);

  const useless = aClient(({ path }) => (path.endsWith('refreshAccessToken') ? tokens(2) : dead()));
  const failure = await failureOf(useless.client.call(request('write'), z.unknown(), never));
  expect(failure.failureClass).toBe('auth');
  expect(useless.sent.filter(({ path }) => path === '/thing')).toHaveLength(2);
});

test('the code of many meanings costs no login for each call, once a fresh token did not mend it', async () => {
  const { client, sent } = aClient(({ path, token }) => {
    if (path.endsWith('refreshAccessToken')) return tokens(2);
    return path === '/other' && token === 'access-2' ? answer(1600001) : answer(1600100, null, 'offline');
  });
  const loginsOf = async (changes: Partial<CjRequest> = {}) => {
    const before = sent.length;
    const { failureClass } = await failureOf(client.call(request('read', changes), z.unknown(), never));
    return [failureClass, sent.slice(before).filter(({ path }) => path.startsWith('/auth')).length];
  };
  expect(await loginsOf()).toEqual(['permanent', 1]);
  expect(await loginsOf()).toEqual(['permanent', 0]);
  expect(await loginsOf({ path: '/other' })).toEqual(['auth', 1]);
});

test('the time for an answer runs from its sending: it ends no wait for leave', async () => {
  const hang: Script = (_, signal) =>
    new Promise((_answer, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const limits: AbortSignal[] = [];
  const { client } = aClient(hang, aStore(aToken()), async (_claim, signal) => {
    limits.push(signal);
  });
  const call = client.call(request('read', { answerWithinMs: 1 }), z.unknown(), never);
  expect(await failureOf(call)).toMatchObject({
    failureClass: 'transient',
    evidence: { network: 'aborted' },
  });
  expect(limits).toEqual([never]);
});

test('what answers tell of the limits is reported, and a report that fails changes nothing', async () => {
  const reports: unknown[] = [];
  const script: Script = ({ path }) =>
    path === '/fine'
      ? Response.json({ code: 200, result: true, data: {}, pointsInfo: { remaining: '7', total: 50_000 } })
      : Response.json({ code: 1600200, result: false });
  const client = createCjClient({
    baseUrl: 'http://cj.example/',
    apiKey: 'CJ1@api@key',
    tokens: aStore(aToken()),
    reserve: async () => {},
    report: (report) => {
      reports.push(report);
      return Promise.reject(new Error('database is gone'));
    },
    send: byFetch(async (input) =>
      script(
        { path: new URL(String(input)).pathname.replace('/api2.0/v1', ''), token: null, body: null },
        never,
      ),
    ),
  });
  await expect(client.call(request('write', { path: '/fine' }), z.unknown(), never)).resolves.toEqual({});
  const error = await failureOf(client.call(request('write'), z.unknown(), never));
  expect(error.failureClass).toBe('throttled');
  expect(reports).toEqual([
    { remaining: 7, total: 50_000 },
    { pausedUntil: expect.any(String), isTooFast: true },
  ]);
});
