import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { migrate } from '../../services/store/migrate.ts';
import { aStore } from '../fixtures/database.ts';
import { dumpDatabase } from '../fixtures/database-dump.ts';
import { noDebianPostgres, startDebianPostgres } from '../fixtures/debian-postgres.ts';
import { givenNotificationRow, givenOrderRows, givenParcelRow } from '../fixtures/shipped-order.ts';

const because = noDebianPostgres === null ? '' : ` (${noDebianPostgres})`;

test.skipIf(noDebianPostgres !== null)(
  `a dump by pg_dump that pg_restore puts back holds every row, the schema and where each numbering stands${because}`,
  async () => {
    const postgres = await startDebianPostgres();
    onTestFinished(() => postgres.remove());
    const original = await postgres.createDatabase('original');
    const store = await aStore(original, 2);
    await migrate(store);
    await givenOrderRows(store);
    await givenNotificationRow(store, 'parcel_shipped', await givenParcelRow(store, { 101: 2 }));
    const queue = (to: typeof store, id: string) =>
      to.query<{ id: string }>(
        `insert into outbox (message_id, subject, payload) values ($1, 'oms.evt.0.order.updated.ord_1', '{"é": "€"}')
         returning id::text`,
        [id],
      );
    await queue(store, 'm1');

    const file = join(postgres.folder, 'orders.dump');
    await postgres.run('pg_dump', '--format=custom', `--file=${file}`, original);
    const [lost] = await queue(store, 'm2');
    const restored = await postgres.createDatabase('restored');
    await postgres.run('pg_restore', '--no-owner', `--dbname=${restored}`, file);

    const there = await aStore(restored, 2);
    await store.run("delete from outbox where message_id = 'm2'");
    expect(await dumpDatabase(restored)).toEqual(await dumpDatabase(original));
    await migrate(there);
    expect(await queue(there, 'm2')).toEqual([lost]);
  },
);
