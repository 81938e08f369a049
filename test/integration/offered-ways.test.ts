import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { yes } from '../../contracts/requests/request.ts';
import { ADOPT_PURCHASE, SETTLE_NOT_BOUGHT } from '../../contracts/requests/settle-doubt.ts';
import type { Explanation } from '../../contracts/resources/explanation.ts';
import {
  HOLD_REASONS,
  ORDER_STATES,
  type OrderStateName,
  SUPPLIER_ORDER_STATES,
  type SupplierOrderStateName,
} from '../../contracts/vocabulary.ts';
import { openBus } from '../../services/bus/bus.ts';
import { answering } from '../../services/bus/requests.ts';
import { aGateway, type Gateway } from '../fixtures/a-gateway.ts';
import { type OwnNats, startOwnNats } from '../fixtures/own-nats.ts';

let nats: OwnNats;
beforeAll(async () => {
  nats = await startOwnNats();
});
afterAll(() => nats.remove());

type Way = Explanation['can'][number];

const ADDRESS = {
  first_name: 'Jean',
  last_name: 'Dupont',
  address1: '12 rue des Lilas',
  city: 'Paris',
  zip: '75001',
  country: 'FR',
};

/** All that the words of a way say can be sent with it. */
const bodyOf = ({ what, method, path }: Way): object | undefined => {
  if (method === 'PUT' && path.startsWith('/orders/'))
    return {
      note: 'asked for by phone',
      ...(what.includes('address') ? { shipping_address: ADDRESS, contact: { phone: '+33612345678' } } : {}),
      ...(what.includes('units') ? { items: [{ line_id: 'L1', quantity: 2 }] } : {}),
    };
  if (method === 'PUT')
    return { shipping_method: 'CJPacket', items: [{ line_id: 'L1', supplier_variant_id: 'v-2' }] };
  if (path.endsWith('/holds')) return { note: 'wait for the customer' };
  if (path.endsWith('/parcel-contents'))
    return { tracking_number: 'CJPKL7100009999YQ', items: [{ line_id: 'L1', quantity: 1 }] };
  if (path.endsWith('/adopt')) return { supplier_reference: 'SD2611220001' };
  if (path.endsWith('/not-bought')) return { note: 'looked for on the site' };
  return undefined;
};

interface Story {
  readonly id: string;
  readonly state: OrderStateName;
  readonly purchase?: SupplierOrderStateName | undefined;
  readonly isOff?: boolean;
}

const supplierOrderIdIn = ({ id }: Story): string => id.replace('ord_', 'sup_ord_');

const STORIES: readonly Story[] = ORDER_STATES.flatMap((state) =>
  [undefined, ...SUPPLIER_ORDER_STATES].flatMap((purchase) =>
    (purchase === undefined || purchase === 'accepted' ? [false, true] : [false]).map((isOff) => ({
      id: `ord_${state}_${purchase ?? 'none'}_${isOff ? 'off' : 'on'}`,
      state,
      purchase,
      isOff,
    })),
  ),
);

async function keep({ context: { store } }: Gateway, story: Story): Promise<void> {
  const { id, state, purchase, isOff = false } = story;
  const supplierOrderId = supplierOrderIdIn(story);
  const none = { ordered: 2, outside: 0, unallocated: 0, held: 0, cancelled: 0 };
  const context = {
    test: false,
    payment: 'paid',
    cancelledInShop: isOff,
    lines: { L1: purchase === undefined ? { ...none, unallocated: 2 } : none },
    inShop: { L1: { units: 2, ours: 2 } },
    supplierOrders:
      purchase === undefined ? {} : { [supplierOrderId]: { state: purchase, units: { L1: 2 } } },
    holds: {},
  };
  await store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, 'shop', $1, '#1', 'USD', 1, '2026-11-01', $2, $3::json)`,
    [id, state, JSON.stringify(context)],
  );
  if (purchase === undefined) return;
  await store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
       expected_cost_minor, currency)
     values ($1, $2, 'cj_dropshipping', $3, '{}', 'm', 'CN', 1, 'USD')`,
    [supplierOrderId, id, purchase],
  );
  await store.run(
    `insert into supplier_order_lines (supplier_order_id, line_id, units, supplier_product_id, supplier_variant_id, supplier_units)
     values ($1, 'L1', 2, 'p', 'v', 2)`,
    [supplierOrderId],
  );
}

const offered = async (gateway: Gateway, id: string): Promise<Way[]> =>
  (await (await gateway.call(`/orders/${id}/explain`)).json()).can;

/** Of the ways that an order is offered those that are refused when they are gone. */
async function refusedOf(gateway: Gateway, id: string): Promise<string[]> {
  const refused: string[] = [];
  for (const way of await offered(gateway, id)) {
    const { method, path, what } = way;
    const body = bodyOf(way);
    const json = { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const answer = await gateway.call(path, { method, ...(body === undefined ? {} : json) });
    if (!answer.ok)
      refused.push(`${id}: ${what} (${method} ${path}): ${answer.status} ${await answer.text()}`);
  }
  return refused;
}

/** Says yes to every word about a purchase in doubt. */
async function serveSuppliers(): Promise<void> {
  const bus = await openBus(nats.url, 'suppliers');
  onTestFinished(() => bus.close());
  const take = async ({ supplierOrderId }: { supplierOrderId: string }) =>
    yes({
      result: 'taken' as const,
      receipt: { id: supplierOrderId, orderId: 'ord_1', status: 'outcome_unknown' as const },
    });
  const handlers = [answering(ADOPT_PURCHASE, take), answering(SETTLE_NOT_BOUGHT, take)];
  const server = bus.serveRequests('suppliers', handlers, () => {});
  onTestFinished(() => server.stop());
  await bus.setUp(1);
}

test('whatever explain offers for any state of an order and of its purchase is accepted', async () => {
  const gateway = await aGateway(nats.url);
  await serveSuppliers();
  const refused: string[] = [];
  for (const story of STORIES) {
    await keep(gateway, story);
    refused.push(...(await refusedOf(gateway, story.id)));
  }
  expect(refused).toEqual([]);
});

test('a draft is offered to be repaired, and so is one that a hold of any reason stops', async () => {
  const gateway = await aGateway(nats.url);
  for (const [index, reason] of HOLD_REASONS.entries()) {
    const story: Story = { id: `ord_${index}`, state: 'purchasing', purchase: 'draft' };
    await keep(gateway, story);
    await gateway.context.store.run(
      `insert into holds (id, order_id, supplier_order_id, reason, evidence) values ($1, $2, $3, $4, '{}')`,
      [`hld_${index}`, story.id, supplierOrderIdIn(story), reason],
    );
    const ways = (await offered(gateway, story.id)).map(({ method, path }) => `${method} ${path}`);
    expect(ways).toContain(`PUT /supplier-orders/${supplierOrderIdIn(story)}`);
    expect(ways).toContain(`POST /holds/hld_${index}/release`);
    expect(await refusedOf(gateway, story.id)).toEqual([]);
  }
});

/** A parcel's contents are to be said, by a hold of the purchase. */
async function aRiddle(gateway: Gateway, story: Story): Promise<void> {
  const { store } = gateway.context;
  await keep(gateway, story);
  await store.run(
    `update supplier_orders set observation = 'seen', next_check_at = now() + interval '1 hour' where order_id = $1`,
    [story.id],
  );
  await store.run(
    `insert into holds (id, order_id, supplier_order_id, reason, evidence)
     values ($1, $2, $3, 'operator', '{"trackingNumbers": "CJPKL7100009999YQ"}')`,
    [`hld_${story.id}`, story.id, supplierOrderIdIn(story)],
  );
}

test.each(['accepted', 'processing', 'partially_shipped', 'shipped'] as const)(
  'of a purchase that is %s a person may say what is in a parcel, and it is looked at anew',
  async (purchase) => {
    const gateway = await aGateway(nats.url);
    const { store } = gateway.context;
    const story: Story = { id: `ord_riddle_${purchase}`, state: 'awaiting_shipment', purchase };
    await aRiddle(gateway, story);
    const path = `/supplier-orders/${supplierOrderIdIn(story)}/parcel-contents`;
    expect(await offered(gateway, story.id)).toContainEqual(
      expect.objectContaining({ method: 'POST', path }),
    );
    const tooMany = { tracking_number: 'X', items: [{ line_id: 'L1', quantity: 3 }] };
    expect((await gateway.send('POST', path, tooMany)).status).toBe(422);
    expect(await refusedOf(gateway, story.id)).toEqual([]);
    expect(
      await store.query(
        'select observation, next_check_at <= now() as "isDue" from supplier_orders where order_id = $1',
        [story.id],
      ),
    ).toEqual([{ observation: null, isDue: true }]);
    const said = await store.query<{ payload: string }>(
      `select payload::text from outbox where subject like '%supplier_order.contents_told%' and payload::text like $1`,
      [`%${story.id}%`],
    );
    expect(said).toHaveLength(1);
    expect(said[0]?.payload).toContain('CJPKL7100009999YQ');
  },
);

test('nobody says what is in a parcel of a purchase at which nobody looks any more', async () => {
  const gateway = await aGateway(nats.url);
  const story: Story = { id: 'ord_over', state: 'delivered', purchase: 'delivered' };
  await keep(gateway, story);
  const body = { tracking_number: 'X', items: [] };
  const path = `/supplier-orders/${supplierOrderIdIn(story)}/parcel-contents`;
  expect((await gateway.send('POST', path, body)).status).toBe(409);
});
