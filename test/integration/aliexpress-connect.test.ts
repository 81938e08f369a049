import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readSettings } from '../../contracts/settings.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import type { Store } from '../../services/store/store.ts';
import { createTokenStore } from '../../services/suppliers/account.ts';
import { codeIn, connect, consentUrl } from '../../services/suppliers/aliexpress/consent.ts';
import { createAdapters } from '../../services/suppliers/registry.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { eventually } from '../fixtures/eventually.ts';
import { aLog } from '../fixtures/order-host.ts';
import { APP } from '../sandbox/aliexpress-client.ts';
import { control, givenWorld, ledgerOf } from '../sandbox/world.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const CALLBACK = 'https://shop.example/back';
/** A machine with much to do takes its time to start a process. */
const PROCESS_MS = 60_000;
const never = new AbortController().signal;
const MUGS = { query: 'mug', page: 1, limit: 5, countryCode: 'US' };

const environmentOf = (world: Sandbox): Record<string, string> => ({
  ALIEXPRESS_API_KEY: APP.appKey,
  ALIEXPRESS_SECRET: APP.appSecret,
  ALIEXPRESS_BASE_URL: world.origin,
  ALIEXPRESS_REQUESTS_PER_SECOND: '1000',
});

/** The command as a person runs it. */
function run(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ['deploy/aliexpress-connect.ts', ...args], {
    cwd: PROJECT,
    env: { PATH, HOME, ...environment },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    output += bytes.toString();
  });
  return {
    answer: (line: string) => void child.stdin.write(`${line}\n`),
    hangUp: () => void child.stdin.end(),
    output: () => output,
    async ended(): Promise<number | null> {
      if (child.exitCode === null) await once(child, 'exit');
      return child.exitCode;
    },
  };
}

/** Where the owner's yes on that page leads to. */
async function agreedOn(page: string): Promise<string> {
  const { headers } = await fetch(page, { redirect: 'manual' });
  return headers.get('location') ?? '';
}

const adapterIn = async (store: Store, world: Sandbox) => {
  const { log, lines } = aLog();
  const settings = readSettings(environmentOf(world));
  const adapter = (await createAdapters({ settings, store, log })).get('aliexpress');
  return { adapter: adapter!, lines };
};

test('the command walks through the consent and keeps the pair with which the services call', {
  timeout: PROCESS_MS,
}, async () => {
  const world = await givenWorld();
  const connectionString = await aDatabase();
  const store = await aStore(connectionString);
  const { adapter, lines } = await adapterIn(store, world);
  expect(JSON.stringify(lines)).toContain('npm run aliexpress:connect');
  await expect(adapter.search(MUGS, never)).rejects.toMatchObject({ failureClass: 'auth' });

  const command = run({ ...environmentOf(world), DB_CONNECTION_STRING: connectionString });
  command.answer(CALLBACK);
  const page = await eventually(() => {
    const url = /http\S+oauth\S+/.exec(command.output())?.[0];
    expect(url).toBeDefined();
    return url!;
  }, PROCESS_MS);
  command.answer(await agreedOn(page));
  expect(await command.ended(), command.output()).toBe(0);

  const pair = await createTokenStore(store, 'aliexpress').read();
  expect(command.output()).toContain(`valid until ${pair!.accessExpiresAt}`);
  expect(command.output()).not.toContain(pair!.accessToken);
  await expect(adapter.search(MUGS, never)).resolves.toMatchObject({ total: 2 });
  expect((await adapterIn(store, world)).lines).toEqual([]);
});

test(
  'the address is taken as an argument, and a code that was used says what to do',
  async () => {
    const world = await givenWorld();
    const connectionString = await aDatabase();
    const page = consentUrl({ baseUrl: world.origin, appKey: APP.appKey }, CALLBACK, 'another run');
    const address = await agreedOn(page);
    const tokens = createTokenStore(await aStore(connectionString), 'aliexpress');
    const unlimited = { reserve: async () => {}, report: async () => {} };
    const options = { ...APP, ...unlimited, baseUrl: world.origin, tokens };
    await connect(options, codeIn(address, 'another run'), never);
    const again = run({ ...environmentOf(world), DB_CONNECTION_STRING: connectionString }, address);
    expect(await again.ended()).toBe(1);
    expect(again.output()).toContain('InvalidCode');
    expect(again.output()).toContain('run npm run aliexpress:connect');
  },
  PROCESS_MS,
);

test(
  'what cannot work is said before anything is asked',
  async () => {
    const world = await givenWorld();
    const keyless = run({ ALIEXPRESS_BASE_URL: world.origin }, 'code');
    const silent = run(environmentOf(world), '--redirect-uri', CALLBACK);
    silent.hangUp();
    expect(await keyless.ended()).toBe(1);
    expect(keyless.output()).toContain('set ALIEXPRESS_API_KEY and ALIEXPRESS_SECRET');
    expect(await silent.ended()).toBe(1);
    expect(silent.output()).toContain('nothing was answered');
    expect((await ledgerOf(world)).calls).toEqual({});
  },
  PROCESS_MS,
);

test.each([
  ['https://shop.example/back?code=3_1&state=mine', '3_1'],
  ['  3_500123_AbCdEf \n', '3_500123_AbCdEf'],
])('in %j the code is %s', (pasted, code) => {
  expect(codeIn(pasted, 'mine')).toBe(code);
});

test.each([
  ['https://shop.example/back?code=3_1&state=other', /another consent page/],
  ['https://shop.example/back?error=denied&state=mine', /no code/],
  ['what?', /neither/],
  ['', /neither/],
])('%j is refused in words', (pasted, words) => {
  expect(() => codeIn(pasted, 'mine')).toThrow(words);
});

test('a ban that one copy is told about stops the calls of all', async () => {
  const world = await givenWorld();
  const store = await aStore(await aDatabase());
  const { log } = aLog();
  const ready = { ALIEXPRESS_ACCESS_TOKEN: '50000000a11exampleToken' };
  const settings = readSettings({ ...environmentOf(world), ...ready });
  const [one, other] = await Promise.all(
    [1, 2].map(async () => (await createAdapters({ settings, store, log })).get('aliexpress')!),
  );
  await control(world, 'PUT', '/settings', { aliexpress: { requestsPerSecond: 1, banSeconds: 60 } });
  await eventually(() =>
    expect(one!.search(MUGS, never)).rejects.toMatchObject({ failureClass: 'throttled' }),
  );
  const { calls } = await ledgerOf(world);
  await expect(other!.search(MUGS, never)).rejects.toMatchObject({
    failureClass: 'throttled',
    evidence: { sent: false },
  });
  expect((await ledgerOf(world)).calls).toEqual(calls);
});
