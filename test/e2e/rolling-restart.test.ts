import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../deploy/local/free-port.ts';
import { readOrders } from '../../deploy/local/show-orders.ts';
import { audit } from '../../services/audit.ts';
import { openStore } from '../../services/store/store.ts';
import { eventually } from '../fixtures/eventually.ts';
import { aRunningStack, outsideOf, type RunningStack } from '../fixtures/running-stack.ts';
import { aShopOrder, placeInShop } from '../fixtures/shop-orders.ts';

const SCRIPT = 'deploy/all-in-one.ts';
const COPIES = ['all-in-one', 'all-in-one-2'] as const;
const ORDERS = 16;

let stack: RunningStack;
const urls = new Map<string, string>();
beforeAll(async () => {
  const port = await freePort();
  const second = { script: SCRIPT, env: { ORDER_MANAGER_PORT: String(port) } };
  // Each copy is all services: that is two of every one.
  stack = await aRunningStack(
    { ORDER_MANAGER_DRAIN_SECONDS: '3' },
    { [COPIES[0]]: SCRIPT, [COPIES[1]]: second },
  );
  urls.set(COPIES[0], stack.url).set(COPIES[1], `http://127.0.0.1:${port}`);
});
afterAll(() => stack.stop());

const isReady = async (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    ({ status }) => status === 200,
    () => false,
  );

/** What a load balancer does: asks every copy again and again whether it is ready, and sends nothing to the others. */
function startBalancer() {
  let ready = [...urls.values()];
  let turn = 0;
  let isStopped = false;
  // One round after the other: on a busy machine a late answer would take the place of a newer one.
  const asking = (async () => {
    while (!isStopped) {
      const answers = await Promise.all(
        [...urls.values()].map(async (url) => ((await isReady(url)) ? [url] : [])),
      );
      ready = answers.flat();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    ready: () => ready,
    next() {
      turn += 1;
      const url = ready[turn % ready.length];
      if (url === undefined) throw new Error('no copy is ready');
      return url;
    },
    stop: () => {
      isStopped = true;
      return asking;
    },
  };
}

/** As upgrading.md asks for it: the next copy is told to stop only when this one gets requests again. */
const restart = async (copy: string, balancer: ReturnType<typeof startBalancer>): Promise<void> => {
  const supervised = stack.services[copy];
  const before = supervised?.restarts() ?? 0;
  supervised?.kill('SIGTERM');
  await eventually(() => expect(supervised?.restarts()).toBeGreaterThan(before));
  await eventually(() => expect(balancer.ready()).toContain(urls.get(copy)));
};

test('restarting every service in turn under load loses nothing, repeats nothing and breaks off no request', async () => {
  const balancer = startBalancer();
  let isOver = false;
  const answers: number[] = [];
  const asking = (async () => {
    for (let number = 1; !isOver || number <= ORDERS; number += 1) {
      const url = balancer.next();
      const isOrder = number <= ORDERS;
      const answer = isOrder
        ? await placeInShop({ ...stack, url }, aShopOrder(number, [{ article: 1 + (number % 2), units: 1 }]))
        : await fetch(`${url}/orders?limit=5`, { headers: { 'x-api-key': stack.apiKey } });
      await answer.text();
      answers.push(answer.status);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  for (const copy of COPIES) await restart(copy, balancer);
  isOver = true;
  await asking;
  await balancer.stop();
  expect(answers.length).toBeGreaterThanOrEqual(ORDERS);
  expect(answers.filter((status) => status !== 200)).toEqual([]);

  await eventually(async () => {
    const orders = await readOrders(stack);
    expect(orders.map(({ status }) => status)).toEqual(Array.from({ length: ORDERS }, () => 'delivered'));
  });
  const store = await openStore({
    connectionString: stack.connectionString,
    maxConnections: 2,
    name: 'test',
  });
  await eventually(async () => {
    const open = await store.query(
      `select 1 from notifications where state in ('pending', 'sending')
        union all select 1 from parcels where fulfillment_state is distinct from 'done'`,
    );
    expect(open).toEqual([]);
  });
  const lines: string[] = [];
  expect((await audit(store, (text) => lines.push(text))).violations, lines.join('\n')).toBe(0);
  // A parcel that is there before its mail of the way was sent is told once, as delivered.
  const untold = await store.query(
    `select kind, state, evidence from notifications n
      where state <> 'sent'
        and not (kind = 'parcel_in_transit' and state = 'skipped'
                 and exists (select 1 from notifications d where d.parcel_id = n.parcel_id
                              and d.kind = 'parcel_delivered' and d.state = 'sent'))`,
  );
  expect(untold).toEqual([]);
  await store.close();

  const { purchases, fulfillments, mails } = await outsideOf(stack);
  expect(purchases.map(({ orders }) => orders.map(({ paidCount }) => paidCount))).toEqual(
    Array.from({ length: ORDERS }, () => [1]),
  );
  const units = fulfillments.flatMap(({ lines }) => lines.map(({ quantity }) => quantity));
  expect(units.reduce((sum, quantity) => sum + quantity, 0)).toBe(ORDERS);
  const shown = fulfillments.flatMap(({ trackingNumbers }) => trackingNumbers);
  expect(new Set(shown).size).toBe(shown.length);
  const ids = mails.map(({ messageId }) => messageId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const copy of COPIES)
    expect(
      readFileSync(join(stack.logDir, `${copy}.log`), 'utf8')
        .split('\n')
        .filter((line) => line.includes('"level":"error"')),
    ).toEqual([]);
});
