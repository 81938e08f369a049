import { expect, test } from 'vitest';
import { aShopLine, aShopWork, readAnswer } from '../fixtures/shop-answers.ts';

const THEIRS = { requestStatus: 'ACCEPTED', actions: ['REQUEST_CANCELLATION'] };
const ON_HOLD = { status: 'ON_HOLD', actions: ['RELEASE_HOLD'] };
const CLOSED = { status: 'CLOSED', actions: [] };

const SHARES: readonly [string, Parameters<typeof readAnswer>[1], object][] = [
  ['two of three are ours and the other is hidden', [aShopWork({ 71: 2 })], { openUnits: 2, isShared: true }],
  [
    'two of three are ours and another service ships one',
    [aShopWork({ 71: 2 }), aShopWork({ 71: 1 }, THEIRS)],
    { openUnits: 2, isShared: true },
  ],
  [
    'two of three are shipped and one is picked up',
    [aShopWork({ 71: 2 }), aShopWork({ 71: 1 }, { method: 'PICK_UP' })],
    { openUnits: 2, isShared: true },
  ],
  ['all is ours in two places', [aShopWork({ 71: 2 }), aShopWork({ 71: 1 })], { openUnits: 3 }],
  ['the way of delivery is not said', [aShopWork({ 71: 3 }, { method: null })], { openUnits: 3 }],
  ['a part is on hold', [aShopWork({ 71: 2 }), aShopWork({ 71: 1 }, ON_HOLD)], { openUnits: 3 }],
  [
    'a part comes later',
    [aShopWork({ 71: 2 }), aShopWork({ 71: 1 }, { status: 'SCHEDULED', actions: [] })],
    { openUnits: 3 },
  ],
  ['a part is in progress', [aShopWork({ 71: 3 }, { status: 'IN_PROGRESS' })], { openUnits: 3 }],
  [
    'a closed one says more',
    [aShopWork({ 71: 2 }), aShopWork({ 71: 3 }, CLOSED)],
    { openUnits: 2, isShared: true },
  ],
];

test.each(SHARES)('of a line of which %s, our units are bought', async (_name, work, expected) => {
  const { received } = await readAnswer([aShopLine('71')], work);
  expect(received.lines).toMatchObject([{ units: 3, deliveredBy: 'us', ...expected }]);
  expect('isShared' in received.lines[0]!).toBe('isShared' in expected);
});

test.each([
  ['picked up', aShopWork({ 71: 3 }, { method: 'PICK_UP' })],
  ['delivered by the shop itself', aShopWork({ 71: 3 }, { method: 'LOCAL' })],
  ['sent to nobody', aShopWork({ 71: 3 }, { method: 'NONE' })],
  ['shipped by another service', aShopWork({ 71: 3 }, THEIRS)],
  ['closed by whoever had it', aShopWork({ 71: 3 }, CLOSED)],
])('a line that is %s is not ours, and the others are', async (_name, work) => {
  const { received } = await readAnswer([aShopLine('71'), aShopLine('72')], [work, aShopWork({ 72: 3 })]);
  expect(received.lines).toMatchObject([
    { deliveredBy: 'other_service', openUnits: 3 },
    { deliveredBy: 'us', openUnits: 3 },
  ]);
});

test('of a line that no carrier brings is told how it is delivered, and of another service’s that is not known', async () => {
  const lines = [aShopLine('71'), aShopLine('72'), aShopLine('73')];
  const work = [
    aShopWork({ 71: 3 }, { method: 'PICK_UP' }),
    aShopWork({ 72: 3 }, THEIRS),
    aShopWork({ 73: 3 }),
  ];
  const { received } = await readAnswer(lines, work);
  expect(received.lines.map(({ deliveryMethod }) => deliveryMethod)).toEqual([
    'PICK_UP',
    undefined,
    undefined,
  ]);
});

test('an order without an address waits for one: that nothing is to be sent nobody has said', async () => {
  const work = [aShopWork({ 71: 3 }, { method: 'NONE' })];
  const { received } = await readAnswer([aShopLine('71')], work, { shippingAddress: null });
  expect(received).toMatchObject({ hasAddress: false, lines: [{ deliveredBy: 'us', openUnits: 3 }] });
});

test('of a line that lost units no more is ours than is left to ship', async () => {
  const line = aShopLine('71', { currentQuantity: 2, unfulfilledQuantity: 1 });
  const { received } = await readAnswer([line], [aShopWork({ 71: 3 })]);
  expect(received.lines).toMatchObject([{ units: 2, openUnits: 1 }]);
  expect(received.lines[0]).not.toHaveProperty('isShared');
});

test('goods that are not shipped need no fulfilment order', async () => {
  const lines = [aShopLine('71'), aShopLine('72', { requiresShipping: false })];
  const { received } = await readAnswer(lines, [aShopWork({ 71: 3 })]);
  expect(received.lines).toMatchObject([{ deliveredBy: 'us' }, { deliveredBy: 'nobody' }]);
});

test('a shop that knows no whole names of addresses says them in two parts', async () => {
  const parts = {
    firstName: 'Ada',
    lastName: 'Example',
    address1: '1 Street',
    city: 'Town',
    countryCodeV2: 'US',
  };
  const { received, customer } = await readAnswer([aShopLine('71')], [aShopWork({ 71: 3 })], {
    shippingAddress: parts,
  });
  expect([received.hasAddress, customer.shipping_address?.name]).toEqual([true, 'Ada Example']);
});
