import { expect, test } from 'vitest';
import type { ObservedStatus, SupplierAdapter } from '../../services/suppliers/adapter.ts';
import { checked } from '../../services/suppliers/checked.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';

const never = new AbortController().signal;
const key = { supplierReference: 'A1', callerRef: 'sup_ord_1' };
const PLACED = { supplierReference: 'A1', amountMinor: 100, currency: 'USD', isPaid: false };
const DUE = { state: 'due', amountMinor: 100, currency: 'USD', balanceMinor: null };
const SEEN = { status: 'processing', parcels: [], evidence: { state: 'PAID' } };
const PARCEL = {
  trackingNumber: 'T1',
  lastMileTrackingNumber: null,
  carrier: null,
  trackingUrl: null,
  state: 'announced',
};

/** A plug-in whose every method does this, whatever its types promise. */
const aPlugIn = (act: () => unknown, statusBatchSize = 1): SupplierAdapter => {
  const method = (): never => act() as never;
  return new Proxy({} as SupplierAdapter, {
    get: (_, name) => ({ name: 'big_buy', capabilities: { statusBatchSize } })[String(name)] ?? method,
    ownKeys: () => ['checkRecipient'],
    getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true }),
  });
};
const answering = (answer: unknown): SupplierAdapter => checked(aPlugIn(async () => answer));

test.each([
  ['nothing', undefined],
  ['no reference', { ...PLACED, supplierReference: undefined }],
  ['a blank reference', { ...PLACED, supplierReference: '' }],
  ['a number for a reference', { ...PLACED, supplierReference: 5 }],
  ['a reference that no database takes', { ...PLACED, supplierReference: 'A\0' }],
  ['an endless reference', { ...PLACED, supplierReference: 'A'.repeat(2_000_000) }],
  ['an amount that is none of money', { ...PLACED, amountMinor: 12.5 }],
  ['no amount and no word of it', { ...PLACED, amountMinor: Number.NaN }],
])('a purchase that is answered with %s is in doubt', async (_, answer) => {
  const failure = { failureClass: 'unknown_outcome', evidence: { shape: 'unknown' } };
  await expect(answering(answer).place({} as never, never)).rejects.toMatchObject(failure);
});

test.each([
  ['a state that there is not', { ...DUE, state: 'odd' }],
  ['a negative amount', { ...DUE, amountMinor: -5 }],
  ['an amount in words', { ...DUE, amountMinor: '1' }],
])('a payment that is said to be due with %s is not made', async (_, answer) => {
  await expect(answering(answer).preparePayment(key, never)).rejects.toMatchObject({
    failureClass: 'permanent',
  });
});

test.each([0, -1, 2.5, Number.NaN])(
  'a plug-in that asks for %s orders at once is refused at the start',
  (size) => {
    expect(() => checked(aPlugIn(() => {}, size))).toThrow(
      'big_buy: its statusBatchSize has to be a whole number',
    );
  },
);

test('an order of which nobody can read what its supplier says keeps back no other', async () => {
  const all = {
    sound: SEEN,
    parcel: { ...SEEN, parcels: [PARCEL] },
    unknown: { ...SEEN, status: 'flying' },
    nameless: { ...SEEN, parcels: [{ ...PARCEL, trackingNumber: '' }] },
    carrier: { ...SEEN, parcels: [{ ...PARCEL, carrier: undefined }] },
    nested: { ...SEEN, evidence: { body: {} } },
    huge: { ...SEEN, evidence: { body: 'x'.repeat(5_000_000) } },
  };
  const seen = await answering(new Map(Object.entries(all))).status([key], never);
  expect([...seen.keys()]).toEqual(['sound', 'parcel']);
  const junk = new Map<string, ObservedStatus>([['A1', { ...all.nested } as never]]);
  await expect(answering(junk).status([key], never)).rejects.toMatchObject({ failureClass: 'permanent' });
  await expect(answering({}).status([key], never)).rejects.toMatchObject({ failureClass: 'permanent' });
});

test('what it throws can be told on, and its class is one that there is', async () => {
  const evidence = { code: 5, text: 'x'.repeat(5_000), body: { deep: 1 } };
  const throwing = (failureClass: string) =>
    checked(
      aPlugIn(() => {
        throw new SupplierError(failureClass as never, 'no', evidence as never);
      }),
    );
  await expect(throwing('odd').place({} as never, never)).rejects.toMatchObject({
    failureClass: 'unknown_outcome',
    evidence: { code: 5, text: 'x'.repeat(2_000) },
  });
  await expect(throwing('funds').pay('A1', never)).rejects.toMatchObject({ failureClass: 'funds' });
  await expect(throwing('odd').status([key], never)).rejects.toMatchObject({ failureClass: 'permanent' });
});

test('a sound answer is passed on as it is', async () => {
  await expect(answering(PLACED).place({} as never, never)).resolves.toBe(PLACED);
  await expect(answering(DUE).preparePayment(key, never)).resolves.toBe(DUE);
  await expect(answering(null).read('A1', never)).resolves.toBeNull();
});

test('an adapter that is a class keeps its methods and what they remember', async () => {
  class Remembering {
    #asked = 0;
    name = 'cj_dropshipping';
    capabilities = { statusBatchSize: 1 };
    async place() {
      this.#asked += 1;
      return { ...PLACED, amountMinor: this.#asked };
    }
    async standing() {
      this.#asked += 1;
      return new Set<string>();
    }
    checkRecipient() {
      return this.#asked;
    }
  }
  const adapter = checked(new Remembering() as never);
  await expect(adapter.place({} as never, never)).resolves.toMatchObject({ amountMinor: 1 });
  await expect(adapter.standing?.([], never)).resolves.toEqual(new Set());
  expect(adapter.checkRecipient({} as never)).toBe(2);
});
