import { expect, test } from 'vitest';
import type { OrderKey } from '../../services/suppliers/adapter.ts';
import type { CjClient } from '../../services/suppliers/cj-dropshipping/client.ts';
import { OrderRow } from '../../services/suppliers/cj-dropshipping/responses.ts';
import { readStatus } from '../../services/suppliers/cj-dropshipping/status.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';

const never = new AbortController().signal;
const failure = (failureClass: SupplierError['failureClass'], evidence = {}): SupplierError =>
  new SupplierError(failureClass, failureClass, evidence);

/** A CJ with so many shipped orders, each with one number, whose tracking fails as `fail` says. */
function aCj(
  count: number,
  fail: (numbers: readonly string[], call: number) => SupplierError | null,
  write = (number: string): string => number,
) {
  const keys = Array.from({ length: count }, (_, index): OrderKey => {
    const name = String(index + 1).padStart(2, '0');
    return { supplierReference: `SD${name}`, callerRef: `sup_ord_${name}` };
  });
  const rows = keys.map(({ supplierReference, callerRef }) =>
    OrderRow.parse({
      orderNum: callerRef,
      cjOrderId: supplierReference,
      orderStatus: 'SHIPPED',
      trackNumber: supplierReference.replace('SD', 'T'),
    }),
  );
  const asked: (readonly string[])[] = [];
  const client: CjClient = {
    async call({ path, query = [] }, schema) {
      expect(path).toBe('/logistic/trackInfo');
      const numbers = query.map(([, number]) => number);
      const error = fail(numbers, asked.push(numbers));
      if (error !== null) throw error;
      return schema.parse(
        numbers.map((number) => ({ trackingNumber: write(number), trackingStatus: 'In transit' })),
      );
    },
  };
  const readBatch = async (ids: readonly string[]) =>
    rows.filter(({ orderNum }) => ids.includes(orderNum ?? ''));
  const states = async (signal = never) =>
    [...(await readStatus({ client, readBatch }, keys, signal)).values()].map(
      ({ status, parcels }) => `${status} ${parcels[0]?.state}`,
    );
  return { asked, states };
}

const count = (states: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(states, String)].map(([state, all]) => [state, all.length]));

test('a carrier’s word counts though CJ writes its number in other letters there', async () => {
  const cj = aCj(
    2,
    () => null,
    (number) => ` ${number.toLowerCase()}`,
  );
  expect(count(await cj.states())).toEqual({ 'shipped in_transit': 2 });
});

test('one number that times out hides no order: the others are told by their carriers, its own by its state', async () => {
  const cj = aCj(30, (numbers) => (numbers.includes('T07') ? failure('transient') : null));
  expect(count(await cj.states())).toEqual({ 'shipped in_transit': 29, 'shipped announced': 1 });
  expect(cj.asked.at(0)).toHaveLength(20);
  expect(cj.asked.at(-1)).toHaveLength(10);
  expect(cj.asked.length).toBeLessThanOrEqual(12);
});

test('two numbers that time out in one call are both found', async () => {
  const cj = aCj(20, (numbers) =>
    numbers.some((each) => ['T07', 'T09'].includes(each)) ? failure('transient') : null,
  );
  expect(count(await cj.states())).toEqual({ 'shipped in_transit': 18, 'shipped announced': 2 });
});

test('one number that CJ refuses keeps nothing back of what carriers say about the others', async () => {
  const cj = aCj(30, (numbers) => (numbers.includes('T07') ? failure('not_found') : null));
  expect(count(await cj.states())).toEqual({ 'shipped in_transit': 29, 'shipped announced': 1 });
  expect(cj.asked.length).toBeLessThanOrEqual(12);
});

test('where CJ does not serve tracking, it is not asked for in parts', async () => {
  const cj = aCj(20, () => failure('permanent'));
  expect(count(await cj.states())).toEqual({ 'shipped announced': 20 });
  expect(cj.asked).toHaveLength(1);
});

test('where all tracking times out, few calls are made and all orders are told by their state', async () => {
  const cj = aCj(50, () => failure('transient'));
  expect(count(await cj.states())).toEqual({ 'shipped announced': 50 });
  expect(cj.asked.length).toBeLessThanOrEqual(12);
});

test.each(['transient', 'not_found'] as const)(
  'what a failure of the smaller calls leaves unread after a %s is told by its state',
  async (first) => {
    const cj = aCj(20, (_, call) => [failure(first), null, failure('throttled')][call - 1] ?? null);
    expect(count(await cj.states())).toEqual({ 'shipped in_transit': 10, 'shipped announced': 10 });
    expect(cj.asked).toHaveLength(3);
  },
);

test.each([
  ['throttled', failure('throttled')],
  ['without a login', failure('auth')],
  ['never sent', failure('transient', { sent: false })],
])(
  'a call that is %s is no fault of its numbers: it is thrown on and not asked in parts',
  async (_, error) => {
    const cj = aCj(20, () => error);
    await expect(cj.states()).rejects.toBe(error);
    expect(cj.asked).toHaveLength(1);
  },
);

test('the end of the time is no fault of the numbers', async () => {
  const stop = new AbortController();
  const cj = aCj(30, (_, call) => {
    if (call !== 2) return null;
    stop.abort();
    return failure('transient');
  });
  expect(count(await cj.states(stop.signal))).toEqual({ 'shipped in_transit': 20 });
  expect(cj.asked).toHaveLength(2);
});
