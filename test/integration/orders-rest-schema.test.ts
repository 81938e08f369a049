import { expect, test } from 'vitest';
import { startArchiveKeeper } from '../../services/orders/sweeper.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { aLog } from '../fixtures/order-host.ts';

test('keys of requests are forgotten after thirty days, younger ones are kept', async () => {
  const store = await aStore(await aDatabase());
  await store.run(
    `insert into api_requests (route, key, body_hash, answer, at)
     values ('POST /orders', 'old', 'h', '{}', now() - interval '31 days'),
            ('POST /orders', 'young', 'h', '{}', now() - interval '29 days')`,
  );
  const keeper = startArchiveKeeper(store, aLog().log, 24);
  await expect.poll(() => store.query('select key from api_requests')).toEqual([{ key: 'young' }]);
  await keeper.stop();
});

test('what an older database holds is taken into the lists of orders by hold reason and supplier', async () => {
  const store = await aStore(await aDatabase({ isMigrated: false }));
  const { migrator } = await store.orm();
  await migrator.up({ to: '0001-first' });
  await store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context, created_at)
     values ('ord_1', 's', '1', '#1', 'USD', 1, 'x', 'sourcing', '{}', '2026-01-02T03:04:05Z')`,
  );
  await store.run(
    `insert into holds (id, order_id, reason, evidence) values ('hld_1', 'ord_1', 'operator', '{}')`,
  );
  await store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from, expected_cost_minor, currency)
     values ('sup_ord_1', 'ord_1', 'cj_dropshipping', 'draft', '{}', 'M', 'CN', 1, 'USD')`,
  );
  await migrator.up();
  const placed = "order_created_at = timestamptz '2026-01-02T03:04:05Z'";
  expect(await store.query(`select id from holds where ${placed}`)).toEqual([{ id: 'hld_1' }]);
  expect(await store.query(`select id, is_quoted from supplier_orders where ${placed}`)).toEqual([
    { id: 'sup_ord_1', is_quoted: true },
  ]);
  // Its timeline does not have all of it: it is never told again.
  expect(await store.query('select machine_version from orders')).toEqual([{ machine_version: 1 }]);
});
