import { onTestFinished } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../deploy/sandbox/sandbox.ts';
import { Ledger } from '../fixtures/outside-ledger.ts';

export const CREDENTIALS = {
  cjApiKey: 'CJ1@api@sandbox-key',
  shop: 'sandbox-shop.myshopify.com',
  shopifyAccessToken: 'fixed-sandbox-token',
  shopifyClientId: 'client-1',
  shopifyClientSecret: 'client-secret-1',
  aliexpressAppKey: '500123',
  aliexpressAppSecret: 'exampleSecret0123456789abcdefABCD',
  aliexpressAccessToken: '50000000a11exampleToken',
};

/** A world of its own, gone when the test ends. Everything happens within a tenth of a second. */
export async function givenWorld(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const world = await startSandbox({
    credentials: CREDENTIALS,
    cjRequestsPerSecond: 10_000,
    aliexpressRequestsPerSecond: 10_000,
    ...options,
    timing: { processMs: 20, shipMs: 20, transitMs: 20, deliverMs: 20, ...options.timing },
  });
  onTestFinished(() => world.stop());
  return world;
}

/** One that is kept may be closed at the very moment it is used again, and a test repeats nothing. */
export const OWN_CONNECTION = { connection: 'close' };

export async function control(
  world: Sandbox,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${world.origin}/control${path}`, {
    method,
    headers: OWN_CONNECTION,
    ...(body === undefined ? {} : { body: text }),
  });
}

export const givenFaults = async (world: Sandbox, ...rules: object[]): Promise<void> => {
  const answer = await control(world, 'PUT', '/faults', rules);
  if (!answer.ok) throw new Error(await answer.text());
};

export const ledgerOf = async (world: Sandbox): Promise<Ledger> =>
  Ledger.parse(await (await control(world, 'GET', '/ledger')).json());

/** Asks again until the answer pleases; fails after ten seconds. */
export async function eventually<T>(ask: () => Promise<T>, pleases: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (pleases(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
