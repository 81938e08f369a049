import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Envelope } from '../../contracts/envelope.ts';
import { OrderEvent } from '../../contracts/events/order-event.ts';
import { readSettings } from '../../contracts/settings.ts';
import { toDelivery } from '../../gateway/webhooks/shopify-routes.ts';
import { type OrderActor, stepOrderActor } from '../../machines/order-actor.ts';
import { eventRow } from '../../services/bus/commit-and-publish.ts';
import { openContext } from '../../services/run-service.ts';
import { migrate } from '../../services/store/migrate.ts';
import { queue } from '../../services/store/outbox.ts';
import { accepted, elapsed, observed, placing, received, sourced } from '../unit/builders.ts';
import { startServers } from './bench-servers.ts';

/*
 * What the parts of the road cost by themselves, each beside the plainest thing of its kind, in one run:
 *   npm run bench:parts
 */
const ROUND_MS = 1_000;
const BATCH = 256;

/** Microseconds of one `work`, the median of five rounds. */
async function microseconds(work: () => unknown, each = 1): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < 6; round += 1) {
    const startedAt = performance.now();
    let times = 0;
    while (performance.now() - startedAt < ROUND_MS / 5) {
      await work();
      times += 1;
    }
    // The first one compiles.
    if (round > 0) rounds.push(((performance.now() - startedAt) * 1_000) / (times * each));
  }
  return rounds.sort((a, b) => a - b)[2] ?? 0;
}

function print(part: string, part_us: number, plain: string, plain_us: number): void {
  const ratio = (part_us / plain_us).toFixed(2);
  console.log(
    `${part.padEnd(44)} ${part_us.toFixed(1).padStart(8)} µs   ${plain.padEnd(34)} ${plain_us.toFixed(1).padStart(8)} µs   x ${ratio}`,
  );
}

const EVENTS = [received(), elapsed('grace'), sourced(), placing(), accepted(), observed('shipped', [])];
const event = received();
const wire = eventRow({
  messageId: 'evt:1',
  source: '/gateway',
  type: event.type,
  data: event.data,
}).payload;
const body = readFileSync(
  fileURLToPath(
    new URL('../../deploy/sandbox/webhooks/02-us-several-lines-discounts-split.json', import.meta.url),
  ),
  'utf8',
);
const verified = {
  shop: 'bench-shop.myshopify.com',
  deliveryId: 'd1',
  eventId: 'e1',
  apiVersion: '2026-10',
  triggeredAt: null,
};

const parse = await microseconds(() => JSON.parse(wire));
const life = await microseconds(() => {
  let actor: OrderActor = { order: null, supplierOrders: new Map() };
  for (const each of EVENTS) actor = stepOrderActor(actor, each).actor;
}, EVENTS.length);
print('machine step, with conservation checked', life, 'JSON.parse of its event', parse);
print(
  'event: JSON and zod',
  await microseconds(() => {
    const message = Envelope.parse(JSON.parse(wire));
    OrderEvent.parse({ type: message.type, data: message.data });
  }),
  'JSON.parse of it',
  parse,
);
print(
  `webhook body of ${Buffer.byteLength(body)} bytes: to a delivery`,
  await microseconds(() =>
    toDelivery(body, 'orders/create', verified, { canBeReread: true, buysAuthorized: false }),
  ),
  'JSON.parse of it',
  await microseconds(() => JSON.parse(body)),
);

const cleanups: (() => unknown)[] = [];
try {
  const { connectionString, natsUrl } = await startServers('bench-parts', cleanups);
  const settings = readSettings({ DB_CONNECTION_STRING: connectionString, NATS_URL: natsUrl });
  const { store, bus } = await openContext(settings, 'bench', 4);
  cleanups.push(async () => {
    await bus.close();
    await store.close();
  });
  await migrate(store);
  await bus.setUp(1, 1);
  let number = 0;
  const messages = (count: number) =>
    Array.from({ length: count }, () => {
      number += 1;
      return { messageId: `m${number}`, subject: `oms.evt.1.order.bench.${number}`, payload: wire };
    });
  print(
    `outbox row, ${BATCH} in a transaction`,
    await microseconds(() => store.transaction((sql) => queue(sql, messages(BATCH))), BATCH),
    'one in a transaction',
    await microseconds(() => store.transaction((sql) => queue(sql, messages(1)))),
  );
  const statement = 'select state, context from orders where id = $1';
  print(
    'a read by key, prepared',
    await microseconds(() => store.query(statement, ['none'])),
    'parsed and planned each time',
    await microseconds(() => store.pool.query(statement, ['none'])),
  );
  print(
    `message published, ${BATCH} in a batch`,
    await microseconds(() => bus.publish(messages(BATCH)), BATCH),
    'one after another',
    await microseconds(() => bus.publish(messages(1))),
  );
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}
