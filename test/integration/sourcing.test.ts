import { expect, test } from 'vitest';
import type { MappingCandidate } from '../../contracts/resources/product-mapping.ts';
import { DONE } from '../../services/serve-commands.ts';
import type { Store } from '../../services/store/store.ts';
import { planSourcing } from '../../services/suppliers/plan-sourcing.ts';
import { sourceOrder } from '../../services/suppliers/source-order.ts';
import {
  aDesk,
  article,
  callsOf,
  givenCustomer,
  LAMP_COST_MINOR,
  saidTo,
} from '../fixtures/purchase-desk.ts';
import { givenFaults } from '../sandbox/world.ts';

const ORDER = { orderId: 'ord_1' };
const [LAMP, MUG, TENT, BOTTLE] = [1, 2, 5, 6];

const candidate = (number: number, change: Partial<MappingCandidate> = {}): MappingCandidate => ({
  supplier: 'cj_dropshipping',
  supplierProductId: article(number).supplierProductId,
  supplierVariantId: article(number).supplierVariantId,
  unitsPerItem: 1,
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

/** The order's lines, numbered from 1, with the mappings of their variants; answers the command that asks for all. */
async function givenLines(store: Store, lines: readonly Line[], countryCode: string | null = 'US') {
  await givenCustomer(store, ORDER.orderId, countryCode);
  await store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     values ($1, 'sandbox-shop.myshopify.com', '1', '#1', 'USD', 2000, '2026-11-20T10:00:00.000Z', 'sourcing', '{"round":1}')`,
    [ORDER.orderId],
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
    parts: [
      {
        supplier: 'cj_dropshipping',
        part: expect.any(String),
        shipsFrom: 'CN',
        shippingMethod: 'CJPacket Ordinary',
        expectedCostMinor: LAMP_COST_MINOR,
        currency: 'USD',
        deliveryDays: 12,
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
      recipient: {
        name: 'Robin Probe',
        company: '',
        address1: '12 Test Lane',
        address2: '',
        city: 'Testville',
        province: 'Oregon',
        zip: '97201',
        countryCode: 'US',
        phone: '',
        email: '',
        taxId: '',
      },
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
  const wanted = [LAMP, MUG, TENT, BOTTLE].map((number) => ({
    lineId: String(number),
    units: 1,
    variantId: `variant-${number}`,
    sku: null,
    candidates: [candidate(number)],
  }));
  const plan = await planSourcing(desk.ports, wanted, { countryCode: 'US', zip: '97201' });
  expect(plan).toMatchObject({ result: 'planned', refused: [] });
  expect(plan.result === 'planned' && plan.parts.map(({ lines }) => lines.length)).toEqual([4]);
  expect(await callsOf(desk.world, 'freightCalculate')).toBe(1);
});
