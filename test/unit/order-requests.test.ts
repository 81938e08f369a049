import { expect, test } from 'vitest';
import { PutOrder } from '../../contracts/resources/order-requests.ts';
import { PutSupplierOrder } from '../../contracts/resources/supplier-order-requests.ts';

test.each([
  ['an order', PutOrder, { quantity: 1 }],
  ['a draft of a purchase', PutSupplierOrder, { supplier_variant_id: '26' }],
])('a change of %s names each line once', (_, contract, wish) => {
  const change = (...ids: string[]) =>
    contract.safeParse({ items: ids.map((line_id) => ({ line_id, ...wish })) });
  expect(change('1', '2').success).toBe(true);
  expect(change('1', '2', '1').error?.issues).toMatchObject([
    { path: ['items', 2, 'line_id'], message: 'is named twice' },
  ]);
});
