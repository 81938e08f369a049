import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { orderIdOf } from '../../contracts/ids.ts';
import { openBus } from '../../services/bus/bus.ts';
import { commitAndPublish } from '../../services/bus/commit-and-publish.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { eventually } from '../fixtures/eventually.ts';
import { aMessage, received, SHOP } from '../fixtures/order-events.ts';
import { startHostProcess } from '../fixtures/order-host.ts';
import { startOwnNats } from '../fixtures/own-nats.ts';
import { aProbe } from '../fixtures/probe-nats.ts';

const RESUME = fileURLToPath(new URL('../../deploy/partition-resume.ts', import.meta.url));

test('orders that were only in a lost stream arrive after the partitions are resumed with a republish', async () => {
  const nats = await startOwnNats();
  onTestFinished(() => nats.remove());
  const connectionString = await aDatabase();
  const store = await aStore(connectionString);
  const bus = await openBus(nats.url, 'lost-stream');
  onTestFinished(() => bus.close());
  await bus.setUp(1);
  const tell = (number: number): Promise<void> =>
    commitAndPublish(store, bus, async (_sql, say) =>
      say(aMessage(received(String(number)), `told:${number}`)),
    );
  const arrived = async (): Promise<string[]> =>
    (await store.query<{ id: string }>('select id from orders order by id')).map(({ id }) => id);
  const idsUpTo = (count: number): string[] =>
    Array.from({ length: count }, (_, index) => orderIdOf(SHOP, String(index + 1))).sort();

  const first = startHostProcess(connectionString, nats.url);
  for (let number = 1; number <= 40; number += 1) await tell(number);
  await eventually(async () => expect(await arrived()).toEqual(idsUpTo(40)));
  first.kill('SIGTERM');
  await first.ended;

  // Published while nobody read, and then the stream is lost with them.
  for (let number = 41; number <= 60; number += 1) await tell(number);
  await eventually(async () => {
    const [left] = await store.query<{ count: number }>(
      'select count(*)::int from outbox where published_at is null',
    );
    expect(left?.count).toBe(0);
  });
  const probe = await aProbe(nats.url);
  await probe.deleteStreams();
  await bus.setUp(1);

  startHostProcess(connectionString, nats.url);
  const halted = async (): Promise<number> =>
    (await store.query('select part from event_partitions where halted is not null')).length;
  await eventually(async () => expect(await halted()).toBeGreaterThan(0));
  expect(await arrived()).toEqual(idsUpTo(40));

  const env = { PATH: process.env.PATH, DB_CONNECTION_STRING: connectionString, NATS_URL: nats.url };
  const run = promisify(execFile);
  expect((await run(process.execPath, [RESUME], { env })).stdout).toContain('made anew');
  const { stdout } = await run(process.execPath, [RESUME, '--republish'], { env });
  expect(stdout).toContain('partitions resume');
  await eventually(async () => expect(await arrived()).toEqual(idsUpTo(60)));
  expect(await halted()).toBe(0);
  const [repeated] = await store.query<{ count: number }>(
    "select count(*)::int from timeline where type = 'order.received' group by order_id having count(*) > 1",
  );
  expect(repeated).toBeUndefined();
}, 60_000);
