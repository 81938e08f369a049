import { expect, test } from 'vitest';
import { USUAL_RULES } from '../../contracts/order-rules.ts';
import { aRoad, aRoadUnder, isBuying, TWO_LINES, toBought, twoParts } from '../fixtures/order-road.ts';
import {
  cancelRequested,
  elapsed,
  heldInShop,
  holdRequested,
  placed,
  placing,
  purchaseRequested,
  received,
  releaseRequested,
  riskAssessed,
  sourced,
  verified,
} from './builders.ts';

const inGrace = received({ canBeReread: true });
const toSourcing = [inGrace, elapsed('grace'), verified()];

test('a hold that the shop places while the order is sourced stops it, and the shop is asked anew once it is gone', () => {
  const road = aRoad(...toSourcing);
  expect(road.step(heldInShop())).toContain('hold fraud_review');
  road.refuse(sourced());
  expect(road.step(releaseRequested('fraud_review'))).toContain('shopify: verify order');
  expect(road.step(verified())).toContain('suppliers: source order');
});

test('one that is seen while the shop is asked makes its answer void', () => {
  const road = aRoad(inGrace, elapsed('grace'));
  road.step(heldInShop());
  // Of the same reading, which is older than the hold.
  expect(road.try(riskAssessed('low'))).toEqual([]);
  road.refuse(verified());
});

test.each([
  ['a draft', [], 'buy'],
  ['a purchase that is to be paid', [placing(), placed()], 'pay'],
] as const)('%s waits until the shop holds the order no more', (_name, events, verb) => {
  const road = aRoad(...toSourcing, sourced(), ...events);
  expect(road.step(heldInShop())).toContain('hold fraud_review');
  expect(road.step(releaseRequested('fraud_review')).filter(isBuying)).toEqual([`suppliers: ${verb} A`]);
});

test.each(['off', 'medium'] as const)(
  'what the shop holds for fraud is not let go by its assessment, in a shop that holds risks from %s on',
  (riskHold) => {
    const rules = { ...USUAL_RULES, riskHold };
    const road = aRoadUnder(rules, ...toSourcing, sourced(), heldInShop());
    expect(road.step(riskAssessed(riskHold === 'off' ? 'high' : 'low'))).toEqual([]);
    expect(road.holds()).toEqual(['fraud_review']);
    expect(road.step(releaseRequested('fraud_review'))).toContain('suppliers: buy A');
  },
);

test('it is said once, however often it is read', () => {
  const road = aRoad(...toSourcing, heldInShop());
  expect(road.step(heldInShop())).toEqual([]);
});

test('nothing is held before the shop is asked anyway, once all is paid, or when nobody wants it', () => {
  aRoad(inGrace).refuse(heldInShop());
  aRoad(...toBought).refuse(heldInShop());
  const off = aRoad(...toSourcing, sourced(), placing(), cancelRequested());
  off.refuse(heldInShop());
});

test('of an order in parts, what is not paid yet is reason enough; and so is what was bought by hand', () => {
  const road = aRoad(
    received({ canBeReread: true, lines: TWO_LINES }),
    elapsed('grace'),
    verified(),
    twoParts,
  );
  road.step(placing());
  expect(road.step(heldInShop())).toContain('hold fraud_review');
  expect(aRoad(inGrace, purchaseRequested()).step(heldInShop())).toContain('hold fraud_review');
});

test.each([
  ['a person', 'operator', holdRequested(), { cause: 'held by a person' }],
  ['its risk', 'fraud_review', riskAssessed('high'), { level: 'high', provider: 'shop' }],
] as const)(
  'what %s holds stands though the shop held it before under the same name',
  (_by, reason, event, why) => {
    const road = aRoad(...toSourcing, heldInShop(reason));
    expect(road.step(event)).toContain(`hold ${reason}`);
    // What the shop lifts is known by its facts.
    expect(road.evidence().at(-1)).toEqual(why);
    expect(road.step(heldInShop(reason))).toEqual([]);
    expect(road.holds()).toEqual([reason]);
  },
);
