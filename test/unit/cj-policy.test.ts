import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Evidence, FailureClass } from '../../contracts/vocabulary.ts';
import type { PlaceRequest, SupplierAdapter } from '../../services/suppliers/adapter.ts';
import { withPolicy } from '../../services/suppliers/policy.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';

const never = new AbortController().signal;
const PATIENCE = { callTimeoutMs: 5_000, halfOpenAfterMs: 60_000 };
const order: PlaceRequest = {
  callerRef: 'sup_ord_1',
  recipient: {
    name: 'Ann Doe',
    company: '',
    address1: '1 Main St',
    address2: '',
    city: 'Los Angeles',
    province: 'California',
    zip: '90001',
    countryCode: 'US',
    phone: '',
    email: '',
    taxId: '',
  },
  shipsFrom: 'CN',
  shippingMethod: 'CJPacket Ordinary',
  lines: [],
  ceilingMinor: 100,
  currency: 'USD',
};
const key = { supplierReference: 'SD1', callerRef: 'sup_ord_1' };
const placed = { supplierReference: 'SD1', amountMinor: 100, currency: 'USD', isPaid: false };

/** An adapter whose every method does the same. */
function aSupplier(act: (signal: AbortSignal) => Promise<void>): SupplierAdapter & { calls(): number } {
  let calls = 0;
  const count = async <T>(signal: AbortSignal, value: T): Promise<T> => {
    calls += 1;
    await act(signal);
    return value;
  };
  return {
    calls: () => calls,
    name: 'cj_dropshipping',
    capabilities: {
      looksUpByReference: true,
      repeatableForMs: null,
      payment: 'by_call',
      statusBatchSize: 20,
      cancelsBeforePayment: true,
      combinesLines: true,
      pushes: 'by_call',
      hasWarehouses: true,
    },
    quote: (_, signal) => count(signal, { currency: 'USD', goodsMinor: 0, options: [], articles: new Map() }),
    place: (_, signal) => count(signal, placed),
    lookUp: (_, signal) => count(signal, []),
    preparePayment: (_, signal) =>
      count(signal, { state: 'due' as const, amountMinor: 100, currency: 'USD', balanceMinor: null }),
    pay: (_, signal) => count(signal, undefined),
    status: (_, signal) => count(signal, new Map()),
    cancel: (_, signal) => count(signal, undefined),
    search: (_, signal) => count(signal, { items: [], page: 1, limit: 1, total: 0 }),
    product: (_, signal) => Promise.reject(signal.reason ?? new RangeError('not asked for here')),
    read: (_, signal) => count(signal, null),
    registerPush: (_, signal) => count(signal, undefined),
    checkRecipient: () => ({ problems: [], repairs: [] }),
    readPush: () => Promise.resolve({ kind: 'probe' }),
  };
}

const failing = (failureClass: FailureClass, evidence = {}) =>
  aSupplier(() => Promise.reject(new SupplierError(failureClass, 'no', evidence)));

test('a purchase, a payment and a cancel go out once, whatever they end in', async () => {
  for (const failureClass of ['transient', 'throttled', 'unknown_outcome'] as const) {
    const supplier = failing(failureClass);
    const patient = withPolicy(supplier, PATIENCE);
    await expect(patient.place(order, never)).rejects.toMatchObject({ failureClass });
    await expect(patient.pay('SD1', never)).rejects.toMatchObject({ failureClass });
    await expect(patient.cancel(key, never)).rejects.toMatchObject({ failureClass });
    expect(supplier.calls()).toBe(3);
  }
});

test('a read is repeated after a passing failure until it succeeds', async () => {
  let failures = 2;
  const supplier = aSupplier(async () => {
    failures -= 1;
    if (failures >= 0) throw new SupplierError('transient', 'no', {});
  });
  await expect(withPolicy(supplier, PATIENCE).lookUp('sup_ord_1', never)).resolves.toEqual([]);
  expect(supplier.calls()).toBe(3);
});

test('a read is not repeated after a refusal', async () => {
  for (const failureClass of ['permanent', 'not_found', 'auth', 'unknown_outcome'] as const) {
    const supplier = failing(failureClass);
    await expect(withPolicy(supplier, PATIENCE).status([key], never)).rejects.toMatchObject({
      failureClass,
    });
    expect(supplier.calls()).toBe(1);
  }
});

test('a push whose reading never ends is given up, and says nothing of the supplier', async () => {
  const supplier = { ...aSupplier(async () => {}), readPush: () => new Promise<never>(() => {}) };
  const patient = withPolicy(supplier, { callTimeoutMs: 50, halfOpenAfterMs: 60_000 });
  const message = { headers: {}, body: new Uint8Array() };
  for (const _ of Array.from({ length: 6 }))
    await expect(patient.readPush(message)).rejects.toMatchObject({ failureClass: 'transient' });
  expect(patient.breakerState()).toBe('closed');
});

test('five outages open the breaker for all methods, and it says so before the call', async () => {
  const supplier = failing('unknown_outcome');
  const patient = withPolicy(supplier, PATIENCE);
  for (const _ of [1, 2, 3, 4, 5]) await expect(patient.place(order, never)).rejects.toThrow();
  expect(patient.breakerState()).toBe('open');
  await expect(patient.place(order, never)).rejects.toMatchObject({
    failureClass: 'transient',
    evidence: { breaker: 'open' },
  });
  await expect(patient.pay('SD1', never)).rejects.toMatchObject({ evidence: { breaker: 'open' } });
  await expect(patient.lookUp('sup_ord_1', never)).rejects.toMatchObject({ evidence: { breaker: 'open' } });
  expect(supplier.calls()).toBe(5);
});

test('refusals, rate limits and what is no outage leave the breaker closed', async () => {
  const suppliers = [
    failing('invalid_input'),
    failing('throttled'),
    failing('transient', { outage: false, sent: false }),
  ];
  for (const supplier of suppliers) {
    const patient = withPolicy(supplier, PATIENCE);
    for (const _ of Array.from({ length: 10 })) await expect(patient.place(order, never)).rejects.toThrow();
    expect(patient.breakerState()).toBe('closed');
  }
});

test('the breaker closes again after a call that went well', async () => {
  let isDown = true;
  const supplier = aSupplier(async () => {
    if (isDown) throw new SupplierError('unknown_outcome', 'no', {});
  });
  const patient = withPolicy(supplier, { callTimeoutMs: 5_000, halfOpenAfterMs: 50 });
  for (const _ of [1, 2, 3, 4, 5]) await expect(patient.place(order, never)).rejects.toThrow();
  isDown = false;
  await vi.waitFor(() => patient.place(order, never), { timeout: 60_000, interval: 20 });
  expect(patient.breakerState()).toBe('closed');
});

test('a clock that is set back keeps no breaker open', async () => {
  let isDown = true;
  const supplier = aSupplier(async () => {
    if (isDown) throw new SupplierError('unknown_outcome', 'no', {});
  });
  const patient = withPolicy(supplier, { callTimeoutMs: 5_000, halfOpenAfterMs: 50 });
  for (const _ of [1, 2, 3, 4, 5]) await expect(patient.place(order, never)).rejects.toThrow();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 2 * 3_600_000 });
  onTestFinished(() => void vi.useRealTimers());
  expect(patient.breakerState()).toBe('open');
  isDown = false;
  await vi.waitFor(() => patient.place(order, never), { timeout: 60_000, interval: 20 });
  expect(patient.breakerState()).toBe('closed');
});

/** Answers, until it is told to end otherwise. */
function aChangeable(commandsAtOnce: number) {
  let end = async (): Promise<void> => {};
  const patient = withPolicy(
    aSupplier(() => end()),
    { ...PATIENCE, halfOpenAfterMs: 50, commandsAtOnce },
  );
  const call = (times = 1) =>
    Promise.allSettled(Array.from({ length: times }, () => patient.place(order, never)));
  return {
    patient,
    call,
    fail(failureClass: FailureClass, evidence: Evidence) {
      end = () => Promise.reject(new SupplierError(failureClass, 'no', evidence));
    },
    mend() {
      end = async () => {};
    },
  };
}

const LATE = { network: 'aborted' };

test('answers that come too late let half as many commands in, once for all who had asked together', async () => {
  const { patient, call, fail, mend } = aChangeable(8);
  fail('unknown_outcome', LATE);
  await call(4);
  expect(patient.commandsAtOnce()).toBe(4);
  mend();
  await call();
  fail('unknown_outcome', LATE);
  await call(4);
  expect(patient.commandsAtOnce()).toBe(2);
});

test('while answers come in time one command more is let in for as many as there may be, up to the most', async () => {
  const { patient, call, fail, mend } = aChangeable(4);
  fail('unknown_outcome', LATE);
  await call();
  mend();
  const seen: number[] = [];
  for (const _ of Array.from({ length: 12 })) {
    await call();
    seen.push(patient.commandsAtOnce());
  }
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect([seen[0], seen.at(-1)]).toEqual([2, 4]);
});

test('one command at least is let in, however often an answer is late', async () => {
  const { patient, call, fail, mend } = aChangeable(4);
  for (const _ of Array.from({ length: 6 })) {
    fail('unknown_outcome', LATE);
    await call();
    mend();
    await call();
  }
  expect(patient.commandsAtOnce()).toBeGreaterThanOrEqual(1);
});

test('refusals, errors and waits for leave let no fewer commands in', async () => {
  const { patient, call, fail } = aChangeable(4);
  for (const [failureClass, evidence] of [
    ['invalid_input', {}],
    ['transient', { httpStatus: 500 }],
    ['throttled', {}],
    ['transient', { step: 'reserve', sent: false, outage: false }],
  ] as const) {
    fail(failureClass, evidence);
    await call();
  }
  expect(patient.commandsAtOnce()).toBe(4);
});

test('until an open breaker has closed one command is let in', async () => {
  const { patient, call, fail, mend } = aChangeable(8);
  fail('transient', { httpStatus: 500 });
  await call(5);
  expect(patient.breakerState()).toBe('open');
  expect(patient.commandsAtOnce()).toBe(1);
  await vi.waitFor(() => expect(patient.breakerState()).toBe('half_open'));
  expect(patient.commandsAtOnce()).toBe(1);
  mend();
  await call();
  expect(patient.commandsAtOnce()).toBe(8);
});

test('on a timeout the adapter’s own word about what became of the call counts', async () => {
  const obedient = aSupplier(async (signal) => {
    await delay(60_000, undefined, { signal }).catch(() => undefined);
    throw new SupplierError('transient', 'nothing sent', { sent: false });
  });
  const patient = withPolicy(obedient, { ...PATIENCE, callTimeoutMs: 50 });
  await expect(patient.place(order, never)).rejects.toMatchObject({ failureClass: 'transient' });
});

test('an adapter that does not stop is left behind: doubt for a purchase, passing for a read', async () => {
  const stubborn = aSupplier(() => new Promise(() => {}));
  const patient = withPolicy(stubborn, { ...PATIENCE, callTimeoutMs: 50 });
  const [place, pay] = await Promise.allSettled([patient.place(order, never), patient.pay('SD1', never)]);
  expect(place).toMatchObject({ reason: { failureClass: 'unknown_outcome', evidence: { timeout: true } } });
  expect(pay).toMatchObject({ reason: { failureClass: 'unknown_outcome' } });
  const stop = AbortSignal.timeout(200);
  await expect(patient.status([key], stop)).rejects.toMatchObject({ failureClass: 'transient' });
});

test('a caller that gives up while the supplier’s leave is waited for has seen no outage', async () => {
  const queueing = aSupplier(async (signal) => {
    await delay(60_000, undefined, { signal }).catch(() => undefined);
    throw new SupplierError('transient', 'nothing sent', { sent: false, outage: false });
  });
  const patient = withPolicy(queueing, PATIENCE);
  const request = { destination: { countryCode: 'US', zip: '90001' }, shipsFrom: 'CN', articles: [] };
  const quotes = await Promise.allSettled(
    Array.from({ length: 6 }, () => patient.quote(request, AbortSignal.timeout(50))),
  );
  for (const quote of quotes)
    expect(quote).toMatchObject({ reason: { failureClass: 'transient', evidence: { outage: false } } });
  expect(patient.breakerState()).toBe('closed');
});

test('a bug is not dressed up as a supplier’s failure', async () => {
  const buggy = aSupplier(() => Promise.reject(new RangeError('ours')));
  await expect(withPolicy(buggy, PATIENCE).place(order, never)).rejects.toBeInstanceOf(RangeError);
});
