import { expect, test } from 'vitest';
import { modeMeaning } from '../../services/suppliers/purchase-ports.ts';

test.each([
  ['off', 'by_hand', 'buys nothing: every purchase is held'],
  ['shadow', 'by_call', 'does everything but the purchase, which is held with what it would have cost'],
  ['live', 'by_call', 'buys and pays'],
  ['live', 'with_order', 'buys and pays'],
  ['live', 'by_hand', 'buys; a person pays on its site'],
  ['live', undefined, 'buys and pays'],
] as const)('of the mode %s with payment %s it is said that it %s', (mode, payment, meaning) => {
  expect(modeMeaning(mode, payment)).toBe(meaning);
});
