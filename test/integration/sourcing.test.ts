import { expect, onTestFinished, test } from 'vitest';
import { OrderSourced } from '../../contracts/events/order-sourced.ts';
import type { MappingCandidate } from '../../contracts/resources/product-mapping.ts';
import type { ProductSummary, ProductVariant } from '../../contracts/resources/supplier-product.ts';
import { SUPPLIERS, type SupplierName } from '../../contracts/vocabulary.ts';
import { DONE } from '../../services/serve-commands.ts';
import type { Store } from '../../services/store/store.ts';
import { startMappingSweep } from '../../services/suppliers/mapping-sweep.ts';
import { planSourcing } from '../../services/suppliers/plan-sourcing.ts';
import type { PurchasePorts } from '../../services/suppliers/purchase-ports.ts';
import { sourceOrder } from '../../services/suppliers/source-order.ts';
import { suggestCandidates } from '../../services/suppliers/suggest-candidates.ts';
import { eventually } from '../fixtures/eventually.ts';
import {
  aDesk,
  article,
  callsOf,
  type Desk,
  givenCustomer,
  LAMP_COST_MINOR,
  saidTo,
  withAdapter,
} from '../fixtures/purchase-desk.ts';
import { RECIPIENT } from '../fixtures/shelves.ts';
import { givenFaults } from '../sandbox/world.ts';

const ORDER = { orderId: 'ord_1' };
const [LAMP, MUG, TENT, BOTTLE] = [1, 2, 5, 6];

const candidate = (number: number, change: Partial<MappingCandidate> = {}): MappingCandidate => ({
  supplier: 'cj_dropshipping',
  supplierProductId: article(number).supplierProductId,
  supplierVariantId: article(number).supplierVariantId,
  unitsPerItem: 1,
  bundledWith: [],
  countries: [],
  shipsFrom: 'CN',
  priority: 1,
  ...change,
});

interface Line {
  readonly units: number;
  /** Absent: the variant has no mapping. */
  readonly candidates?: readonly MappingCandidate[];
}

const contextOf = (lines: readonly Line[]) => ({
  round: 1,
  lines: Object.fromEntries(
    lines.map(({ units }, index) => [
      String(index + 1),
      { ordered: units, outside: 0, unallocated: units, held: 0, cancelled: 0 },
    ]),
  ),
  inShop: Object.fromEntries(lines.map(({ units }, index) => [String(index + 1), { units, ours: units }])),
});

/** The order's lines, numbered from 1, with the mappings of their variants; answers the command that asks for all. */
async function givenLines(store: Store, lines: readonly Line[], countryCode: string | null = 'US') {
  await givenCustomer(store, ORDER.orderId, countryCode);
  await store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, 'sandbox-shop.myshopify.com', '1', '#1', 'USD', $3, '2026-11-20T10:00:00.000Z', 'sourcing', $2::json)`,
    [
      ORDER.orderId,
      JSON.stringify(contextOf(lines)),
      lines.reduce((sum, { units }) => sum + units * 2_000, 0),
    ],
  );
  for (const [index, { candidates }] of lines.entries()) {
    const lineId = String(index + 1);
    await store.run(
      `insert into order_lines (order_id, line_id, position, variant_id, sku, title, unit_price_minor)
       values ($1, $2, $3, $4, 'SKU', 'Article', 2000)`,
      [ORDER.orderId, lineId, index, `variant-${lineId}`],
    );
    if (candidates === undefined) continue;
    await store.run(
      'insert into product_mappings (variant_id, candidates, updated_at) values ($1, $2::jsonb, now())',
      [`variant-${lineId}`, JSON.stringify(candidates)],
    );
  }
  return {
    ...ORDER,
    round: 1,
    lines: lines.map(({ units }, index) => ({ lineId: String(index + 1), units })),
  };
}

/** A purchase of the lamp for the first line that came to nothing. */
async function givenRefusedFrom(store: Store, shipsFrom: string, failureClass: string): Promise<void> {
  await store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
                                  expected_cost_minor, currency)
     values ('sup_ord_no', $1, 'cj_dropshipping', 'rejected', '{}', '', $2, 1, 'USD')`,
    [ORDER.orderId, shipsFrom],
  );
  const { supplierProductId, supplierVariantId } = article(LAMP);
  await store.run(
    `insert into supplier_order_lines (supplier_order_id, line_id, units, supplier_product_id, supplier_variant_id,
                                       supplier_units)
     values ('sup_ord_no', '1', 1, $1, $2, 1)`,
    [supplierProductId, supplierVariantId],
  );
  await store.run(
    `insert into purchase_intents (supplier_order_id, kind, order_id, supplier, caller_ref, attempt, state,
                                   request_hash, expected_cost_minor, currency, call_deadline, evidence)
     values ('sup_ord_no', 'create', $1, 'cj_dropshipping', 'sup_ord_no', 1, 'refused', '', 1, 'USD', now(), $2)`,
    [ORDER.orderId, JSON.stringify({ failureClass })],
  );
}

/** Sources such an order and answers what was said about it. */
async function sourced(lines: readonly Line[], countryCode?: string | null) {
  const desk = await aDesk();
  expect(await sourceOrder(desk.ports, await givenLines(desk.store, lines, countryCode))).toEqual(DONE);
  const said = await saidTo(desk.store, ORDER);
  expect(said).toHaveLength(1);
  return { desk, answer: said[0] };
}

test('a mapped line becomes a part with the cheapest total, not the cheapest price of the freight', async () => {
  const { answer } = await sourced([{ units: 1, candidates: [candidate(LAMP)] }]);
  // CJPacket Postal names 5.55 and comes to 8.42 with clearance; Ordinary names 6.54 and comes to 7.44.
  expect(answer).toEqual({
    type: 'order.sourced',
    ...ORDER,
    round: 1,
    refused: [],
    stops: [],
    parts: [
      {
        supplier: 'cj_dropshipping',
        part: expect.any(String),
        shipsFrom: 'CN',
        shippingMethod: 'CJPacket Ordinary',
        expectedCostMinor: LAMP_COST_MINOR,
        currency: 'USD',
        deliveryDays: 12,
        quotedFor: expect.any(String),
        lines: [
          {
            lineId: '1',
            units: 1,
            supplierProductId: article(LAMP).supplierProductId,
            supplierVariantId: article(LAMP).supplierVariantId,
            supplierUnits: 1,
          },
        ],
      },
    ],
  });
});

test('the expected cost is what the supplier then charges, several lines and packs together', async () => {
  const lines = [
    { units: 2, candidates: [candidate(LAMP)] },
    { units: 1, candidates: [candidate(MUG, { unitsPerItem: 3 })] },
  ];
  const { desk, answer } = await sourced(lines);
  expect(answer).toMatchObject({
    parts: [{ lines: [{ supplierUnits: 2 }, { units: 1, supplierUnits: 3 }] }],
  });
  const placed = await desk.adapter.place(
    {
      ceilingMinor: 100_000,
      currency: 'USD',
      callerRef: 'sup_ord_probe',
      recipient: RECIPIENT,
      shipsFrom: 'CN',
      shippingMethod: 'CJPacket Ordinary',
      lines: [
        { ...candidate(LAMP), lineId: '1', units: 2 },
        { ...candidate(MUG), lineId: '2', units: 3 },
      ],
    },
    new AbortController().signal,
  );
  expect(answer).toMatchObject({ parts: [{ expectedCostMinor: placed.amountMinor }] });
});

test('a line without a mapping is refused by name while its neighbour is sourced', async () => {
  const { answer } = await sourced([{ units: 1 }, { units: 1, candidates: [candidate(MUG)] }]);
  expect(answer).toMatchObject({
    parts: [{ lines: [{ lineId: '2' }] }],
    refused: [{ lineId: '1', reason: 'unmapped_line', evidence: { variantId: 'variant-1' } }],
  });
});

test('a line that no candidate brings to the country is refused without asking the supplier', async () => {
  const elsewhere = candidate(LAMP, { countries: ['FR', 'DE'] });
  const { desk, answer } = await sourced([{ units: 1, candidates: [elsewhere] }]);
  expect(answer).toMatchObject({ parts: [], refused: [{ lineId: '1', reason: 'not_shippable' }] });
  expect(await callsOf(desk.world, 'freightCalculate')).toBe(0);
});

test('a candidate for the country is taken before one with a lower number for elsewhere', async () => {
  const { answer } = await sourced([
    {
      units: 1,
      candidates: [
        candidate(BOTTLE, { countries: ['FR'], priority: 1 }),
        candidate(BOTTLE, { countries: ['US'], shipsFrom: 'US', priority: 2 }),
      ],
    },
  ]);
  expect(answer).toMatchObject({ parts: [{ shipsFrom: 'US', shippingMethod: 'USPS Ground Advantage' }] });
});

test('the next candidate is taken when the warehouse of the first does not have the article', async () => {
  const { answer } = await sourced(
    [
      {
        units: 1,
        candidates: [candidate(LAMP, { priority: 2 }), candidate(LAMP, { shipsFrom: 'DE', priority: 1 })],
      },
    ],
    'DE',
  );
  expect(answer).toMatchObject({ parts: [{ shipsFrom: 'CN' }], refused: [] });
});

test.each([
  ['has sold out', 'unavailable', 'CN'],
  ['does not take the address', 'invalid_input', 'DE'],
])(
  'what a supplier refused because it %s is asked for last or first again',
  async (_, failureClass, from) => {
    const desk = await aDesk();
    const candidates = [
      candidate(LAMP, { shipsFrom: 'DE', priority: 1 }),
      candidate(LAMP, { shipsFrom: 'CN', priority: 2 }),
    ];
    const command = await givenLines(desk.store, [{ units: 1, candidates }]);
    const adapter = withAdapter(desk.ports, {
      quote: async ({ shipsFrom }) => ({
        goodsMinor: 100,
        currency: 'USD',
        options: [{ shippingMethod: `from ${shipsFrom}`, costMinor: 100, deliveryDays: null }],
        articles: new Map(),
      }),
    });
    await givenRefusedFrom(desk.store, 'DE', failureClass);
    await sourceOrder(adapter, command);
    expect((await saidTo(desk.store, ORDER)).at(-1)).toMatchObject({ parts: [{ shipsFrom: from }] });
  },
);

test('lines that cannot go together are tried apart before a next candidate is taken', async () => {
  const fromGermanyFirst = (number: number) => [
    candidate(number, { shipsFrom: 'DE', priority: 1 }),
    candidate(number, { priority: 2 }),
  ];
  const { answer } = await sourced(
    [
      { units: 1, candidates: fromGermanyFirst(TENT) },
      { units: 1, candidates: fromGermanyFirst(LAMP) },
    ],
    'DE',
  );
  expect(answer).toMatchObject({
    parts: [
      { shipsFrom: 'DE', lines: [{ lineId: '1' }] },
      { shipsFrom: 'CN', lines: [{ lineId: '2' }] },
    ],
    refused: [],
  });
});

test('a line whose candidates are all refused says so, and its neighbour is bought', async () => {
  const { answer } = await sourced(
    [
      { units: 1, candidates: [candidate(LAMP, { shipsFrom: 'DE' })] },
      { units: 1, candidates: [candidate(TENT, { shipsFrom: 'DE' })] },
    ],
    'DE',
  );
  expect(answer).toMatchObject({
    parts: [{ shipsFrom: 'DE', lines: [{ lineId: '2' }] }],
    refused: [{ lineId: '1', reason: 'not_shippable' }],
  });
});

test('an article that the supplier does not know is a changed mapping', async () => {
  const gone = candidate(LAMP, { supplierVariantId: '2600000000000009999' });
  const { answer } = await sourced([{ units: 1, candidates: [gone] }]);
  expect(answer).toMatchObject({ parts: [], refused: [{ lineId: '1', reason: 'mapping_changed' }] });
});

test('the preferred method is taken when it is offered, else the cheapest', async () => {
  const { answer } = await sourced([
    { units: 1, candidates: [candidate(LAMP, { shippingMethod: 'DHL Official' })] },
    { units: 1, candidates: [candidate(MUG, { shippingMethod: 'Carrier Pigeon' })] },
  ]);
  expect(answer).toMatchObject({
    parts: [
      { shippingMethod: 'DHL Official', lines: [{ lineId: '1' }] },
      { shippingMethod: 'CJPacket Ordinary', lines: [{ lineId: '2' }] },
    ],
  });
});

test('an order without an address is refused line by line', async () => {
  const { answer } = await sourced([{ units: 1, candidates: [candidate(LAMP)] }], null);
  expect(answer).toMatchObject({ parts: [], refused: [{ lineId: '1', reason: 'address_invalid' }] });
});

test('only the lines of the command are sourced, with the units that it names', async () => {
  const desk = await aDesk();
  const lines = [
    { units: 3, candidates: [candidate(LAMP)] },
    { units: 1, candidates: [candidate(MUG)] },
  ];
  const command = await givenLines(desk.store, lines);
  await sourceOrder(desk.ports, { ...command, lines: [{ lineId: '1', units: 2 }] });
  expect(await saidTo(desk.store, ORDER)).toMatchObject([
    { round: 1, parts: [{ lines: [{ lineId: '1', units: 2, supplierUnits: 2 }] }] },
  ]);
});

test.each([
  ['is away', 'error_before'],
  ['asks for patience', 'rate_limit'],
])('while the supplier %s nothing is said, and the next time answers', async (_name, kind) => {
  const desk = await aDesk();
  const command = await givenLines(desk.store, [{ units: 1, candidates: [candidate(LAMP)] }]);
  // Longer than the patience of one question.
  const short = (await desk.copy({ ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '0.4' })).ports;
  await givenFaults(desk.world, { operation: 'cj.freightCalculate', kind });
  expect(await sourceOrder(short, command)).toEqual(DONE);
  expect(await saidTo(desk.store, ORDER)).toEqual([]);
  await givenFaults(desk.world);
  await sourceOrder(desk.ports, command);
  expect(await saidTo(desk.store, ORDER)).toMatchObject([{ parts: [{ lines: [{ lineId: '1' }] }] }]);
});

test('a supplier whose every answer comes in time is quoted, though the answers of a quote take longer together', async () => {
  const desk = await aDesk();
  const command = await givenLines(desk.store, [{ units: 1, candidates: [candidate(LAMP)] }]);
  const { ports } = await desk.copy({ ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '5' });
  await givenFaults(desk.world, { operation: 'cj.*', kind: 'slow', delayMs: 2_000 });
  expect(await sourceOrder(ports, command)).toEqual(DONE);
  expect(await saidTo(desk.store, ORDER)).toMatchObject([{ parts: [{ lines: [{ lineId: '1' }] }] }]);
});

test.each([
  ['of an earlier round', 'sourcing', '{"round":2}'],
  ['of an order that has gone on', 'purchasing', '{"round":1}'],
])('a question %s costs no call and says nothing', async (_name, state, context) => {
  const desk = await aDesk();
  const command = await givenLines(desk.store, [{ units: 1, candidates: [candidate(LAMP)] }]);
  await desk.store.run('update orders set state = $1, context = $2::json', [state, context]);
  expect(await sourceOrder(desk.ports, command)).toEqual(DONE);
  expect(await saidTo(desk.store, ORDER)).toEqual([]);
  expect(await callsOf(desk.world, 'freightCalculate')).toBe(0);
});

test('without credentials every line says that the supplier is paused', async () => {
  const desk = await aDesk();
  const { ports } = await desk.copy({ CJ_DROPSHIPPING_API_KEY: '' });
  await sourceOrder(ports, await givenLines(desk.store, [{ units: 1, candidates: [candidate(LAMP)] }]));
  expect(await saidTo(desk.store, ORDER)).toMatchObject([
    { parts: [], refused: [{ lineId: '1', reason: 'supplier_paused' }] },
  ]);
});

test('the plan of many lines asks once for each purchase that they go into', async () => {
  const desk = await aDesk();
  const lines = [LAMP, MUG, TENT, BOTTLE].map((number) => ({
    lineId: String(number),
    units: 1,
    variantId: `variant-${number}`,
    sku: null,
    isSkuMapped: true,
    unitPriceMinor: 2_000,
    candidates: [candidate(number)],
  }));
  const destination = { countryCode: 'US', zip: '97201' };
  const nobody = { recipient: null, sale: null, acceptances: [], isPartly: false };
  const answer = await planSourcing(desk.ports, { lines, destination, ...nobody });
  expect(answer).toMatchObject({ result: 'planned', plan: { refused: [], stops: [] } });
  const parts = answer.result === 'planned' ? answer.plan.parts : [];
  expect(parts.map((part) => part.lines.length)).toEqual([4]);
  expect(await callsOf(desk.world, 'freightCalculate')).toBe(1);
});

const RED = { optionLabels: ['Color: Red'], unitPriceMinor: 690, currency: 'USD' };

/** The real adapter, and beside its prices what a supplier with labels and stock would say of the articles. */
const showing = (desk: Desk, optionLabels: readonly string[], unitPriceMinor = 690): PurchasePorts =>
  withAdapter(desk.ports, {
    quote: async (request, signal) => {
      const answer = await desk.adapter.quote(request, signal);
      const now = { unitPriceMinor, stock: null, optionLabels };
      const articles = request.articles.map((one) => [one.supplierVariantId, now] as const);
      return { ...answer, articles: new Map(articles) };
    },
  });

const mappingOf = async (store: Store) => {
  const [row] = await store.query<{ candidates: MappingCandidate[]; sku: string | null; isOld: boolean }>(
    `select candidates, sku, updated_at = '2026-01-01T00:00:00Z' as "isOld" from product_mappings`,
  );
  return { ...row, seen: row?.candidates.map(({ seen }) => seen) };
};

async function givenMapped(candidates: readonly MappingCandidate[]) {
  const desk = await aDesk();
  const command = await givenLines(desk.store, [{ units: 1, candidates }]);
  await desk.store.run("update product_mappings set updated_at = '2026-01-01T00:00:00Z'");
  return { desk, command };
}

test('a mapping learns labels, price and the shop’s SKU from a good quote, and stays the shop keeper’s', async () => {
  const { desk, command } = await givenMapped([candidate(LAMP), candidate(MUG, { priority: 2 })]);
  await sourceOrder(showing(desk, ['Color: Red']), command);
  const learned = { sku: 'SKU', isOld: true, seen: [RED, undefined] };
  expect(await mappingOf(desk.store)).toMatchObject(learned);
  await desk.store.run("update orders set context = jsonb_set(context::jsonb, '{round}', '2')::json");
  await sourceOrder(showing(desk, ['Color: Red'], 720), { ...command, round: 2 });
  expect((await mappingOf(desk.store)).seen).toEqual([{ ...RED, unitPriceMinor: 720 }, undefined]);
});

test('an article whose label has changed is not bought, and what was known of it stays known', async () => {
  const { desk, command } = await givenMapped([candidate(LAMP, { seen: RED })]);
  await sourceOrder(showing(desk, ['Color: Blue']), command);
  expect(await saidTo(desk.store, ORDER)).toMatchObject([
    {
      parts: [],
      refused: [
        { lineId: '1', reason: 'mapping_changed', evidence: { was: 'Color: Red', is: 'Color: Blue' } },
      ],
    },
  ]);
  expect((await mappingOf(desk.store)).seen).toEqual([RED]);
});

test('labels that the shop keeper confirms while a quote is asked for are not overwritten', async () => {
  const { desk, command } = await givenMapped([candidate(LAMP)]);
  const confirmed = JSON.stringify([candidate(LAMP, { seen: { ...RED, optionLabels: ['Color: Green'] } })]);
  const slow = showing(desk, ['Color: Red']);
  const ports = withAdapter(slow, {
    quote: async (request, signal) => {
      await desk.store.run('update product_mappings set candidates = $1::jsonb', [confirmed]);
      return (slow.adapterOf('cj_dropshipping') ?? desk.adapter).quote(request, signal);
    },
  });
  await sourceOrder(ports, command);
  expect((await mappingOf(desk.store)).seen?.[0]?.optionLabels).toEqual(['Color: Green']);
});

test('a mapping stored before bundles were known is sourced as ever', async () => {
  const { bundledWith: _, ...old } = candidate(LAMP);
  const { desk, command } = await givenMapped([old as MappingCandidate]);
  await sourceOrder(desk.ports, command);
  expect(await saidTo(desk.store, ORDER)).toMatchObject([
    { refused: [], parts: [{ lines: [{ units: 1 }] }] },
  ]);
});

test('a floor under the margin stops the order in sourcing, until somebody accepts what it would earn', async () => {
  const desk = await aDesk({ ORDER_MANAGER_MARGIN_FLOOR_PERCENT: '50' });
  const command = await givenLines(desk.store, [{ units: 1, candidates: [candidate(LAMP)] }]);
  await sourceOrder(desk.ports, command);
  const [said] = await saidTo(desk.store, ORDER);
  const { stops = [] } = OrderSourced.parse(said);
  expect(stops).toMatchObject([
    { reason: 'margin_below_floor', evidence: { costMinor: LAMP_COST_MINOR, revenueMinor: 2_000 } },
  ]);
  await desk.store.run(
    `insert into holds (id, order_id, reason, evidence, released_at) values ('hld_1', $1, 'margin_below_floor', $2, now())`,
    [ORDER.orderId, JSON.stringify(stops[0]?.evidence)],
  );
  const accepted = `context::jsonb || '{"round": 2, "accepted": ["hld_1"]}'`;
  await desk.store.run(`update orders set context = (${accepted})::json`);
  await sourceOrder(desk.ports, { ...command, round: 2 });
  expect((await saidTo(desk.store, ORDER))[1]).toMatchObject({ round: 2, stops: [], parts: [{}] });
});

test('a margin is reckoned of the units that the total is for: those that the shop took away are in neither', async () => {
  const desk = await aDesk({ ORDER_MANAGER_MARGIN_FLOOR_PERCENT: '99' });
  const command = await givenLines(desk.store, [{ units: 1, candidates: [candidate(LAMP)] }]);
  // Of three that were ordered one is bought and one refunded.
  const line = { ordered: 3, outside: 0, unallocated: 1, held: 0, cancelled: 1 };
  const lines = JSON.stringify({ lines: { 1: line }, inShop: { 1: { units: 2, ours: 2 } } });
  await desk.store.run(
    'update orders set total_minor = 4000, context = (context::jsonb || $1::jsonb)::json',
    [lines],
  );
  await sourceOrder(desk.ports, command);
  expect(await saidTo(desk.store, ORDER)).toMatchObject([{ stops: [{ evidence: { revenueMinor: 2_000 } }] }]);
});

test('holds that a mapping stored since may mend are asked to be released, others are not', async () => {
  const { desk } = await givenMapped([candidate(LAMP)]);
  const holds = [
    ['unmapped_line', '2026-01-02'],
    ['out_of_stock', '2025-12-31'],
    ['mapping_changed', '2026-01-02'],
    ['phone_invalid', '2025-12-31'],
  ];
  for (const [reason, openedAt] of holds)
    await desk.store.run(
      `insert into holds (id, order_id, reason, line_id, evidence, opened_at) values ($2, $1, $2, '1', '{}', $3)`,
      [ORDER.orderId, reason, openedAt],
    );
  const sweep = startMappingSweep(desk.ports);
  await eventually(async () => expect(await saidTo(desk.store, ORDER)).not.toEqual([]));
  await sweep.stop();
  const released = (await saidTo(desk.store, ORDER)).map((said) => 'reason' in said && said.reason);
  expect(released.sort()).toEqual(['out_of_stock', 'unmapped_line']);
});

test('a mapping that is put while suppliers are asked by the one before lets its line go on once that is held', async () => {
  const { desk, command } = await givenMapped([candidate(LAMP, { seen: RED })]);
  const heldFor = async (round: number): Promise<void> => {
    const said = await saidTo(desk.store, ORDER);
    const answer = OrderSourced.parse(said.find((one) => 'round' in one && one.round === round));
    const { reason, evidence } = answer.refused[0] ?? {};
    await desk.store.run(
      "insert into holds (id, order_id, reason, line_id, evidence) values ($2, $1, $3, '1', $4)",
      [ORDER.orderId, `hld_${round}`, reason, JSON.stringify(evidence)],
    );
  };
  const blue = showing(desk, ['Color: Blue']);
  const slow = withAdapter(blue, {
    quote: async (request, signal) => {
      await desk.store.run('update product_mappings set updated_at = now()');
      return (blue.adapterOf('cj_dropshipping') ?? desk.adapter).quote(request, signal);
    },
  });
  await sourceOrder(slow, command);
  await heldFor(1);
  await desk.store.run("update orders set context = jsonb_set(context::jsonb, '{round}', '2')::json");
  await sourceOrder(blue, { ...command, round: 2 });
  await heldFor(2);
  const asked = () =>
    desk.store.query(
      "select split_part(message_id, ':', 2) as hold from outbox where message_id like 'mapped:%'",
    );
  const sweep = startMappingSweep(desk.ports);
  onTestFinished(() => sweep.stop());
  await eventually(async () => expect(await asked()).not.toEqual([]));
  expect(await asked()).toEqual([{ hold: 'hld_1' }]);
});

test('a mapping that is stored while a purchase of its line is refused lets the line go on', async () => {
  const { desk } = await givenMapped([candidate(LAMP)]);
  await givenRefusedFrom(desk.store, 'CN', 'unavailable');
  await desk.store.run(
    `insert into holds (id, order_id, reason, supplier_order_id, evidence, opened_at)
     values ('hld_1', $1, 'out_of_stock', 'sup_ord_no', '{}', '2025-12-31')`,
    [ORDER.orderId],
  );
  const sweep = startMappingSweep(desk.ports);
  onTestFinished(() => sweep.stop());
  await eventually(async () =>
    expect(await saidTo(desk.store, ORDER)).toMatchObject([{ reason: 'out_of_stock', holdId: 'hld_1' }]),
  );
});

test('holds that stay though their release was asked for keep no others from their turn', async () => {
  const { desk } = await givenMapped([candidate(LAMP)]);
  const hold = (from: number, to: number) =>
    desk.store.run(
      `insert into holds (id, order_id, reason, line_id, evidence)
       select 'hld_' || n, $1, 'unmapped_line', '1', '{}' from generate_series($2::int, $3::int) n`,
      [ORDER.orderId, from, to],
    );
  await hold(1, 600);
  const sweep = startMappingSweep(desk.ports);
  onTestFinished(() => sweep.stop());
  await eventually(async () => expect(await saidTo(desk.store, ORDER)).toHaveLength(600));
  // With the next round only what is new.
  await hold(601, 601);
  sweep.wake();
  await eventually(async () => expect(await saidTo(desk.store, ORDER)).toHaveLength(601));
});

const summary = (id: string): ProductSummary => ({
  supplier: 'cj_dropshipping',
  id,
  title: 'Lamp',
  price: null,
  imageUrl: null,
  stock: null,
});
const variant = (id: string, sku: string | null, stock: ProductVariant['stock']): ProductVariant => ({
  id,
  sku,
  title: id,
  options: [],
  priceMinor: 690,
  currency: 'USD',
  imageUrl: null,
  stock,
});

test('suggested is what a supplier sells under exactly the SKU, from where most of it lies', async () => {
  const desk = await aDesk();
  const variants = [
    variant('red', 'cjlamp-red', [
      { country: 'CN', units: 3 },
      { country: 'DE', units: 9 },
    ]),
    variant('blue', 'CJLAMP-BLUE', []),
    variant('none', null, []),
  ];
  const ports = withAdapter(desk.ports, {
    search: async ({ page, limit }) => ({ items: [summary('p1')], page, limit, total: 1 }),
    product: async ({ supplierProductId, countryCode }) => ({
      supplier: 'cj_dropshipping',
      id: supplierProductId,
      title: 'Moon lamp',
      description: null,
      url: null,
      price: null,
      imageUrls: [],
      variants,
      stock: null,
      shipsFrom: ['US'],
      country: countryCode,
      deliveryDays: null,
      shippingOptions: [],
    }),
  });
  const onlyCj = {
    ...ports,
    adapterOf: (supplier: SupplierName) =>
      supplier === 'cj_dropshipping' ? ports.adapterOf(supplier) : undefined,
  };
  const found = {
    supplier: 'cj_dropshipping',
    supplierProductId: 'p1',
    supplierVariantId: 'red',
    shipsFrom: 'DE',
  };
  expect(await suggestCandidates(onlyCj, { sku: 'CJLAMP-RED', country: 'DE' })).toMatchObject({
    ok: true,
    value: {
      suggestions: [{ candidate: found, fromVariantId: null, title: 'Moon lamp, red' }],
      unanswered: SUPPLIERS.filter((supplier) => supplier !== 'cj_dropshipping').map((supplier) => ({
        supplier,
        message: expect.stringContaining('not set up'),
      })),
    },
  });
});
