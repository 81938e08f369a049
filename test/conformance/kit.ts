import { pino } from 'pino';
import { expect, onTestFinished } from 'vitest';
import { readSettings } from '../../contracts/settings.ts';
import type { FailureClass } from '../../contracts/vocabulary.ts';
import { sendOnce } from '../../services/send-once.ts';
import type {
  OrderKey,
  PlacedOrder,
  PlaceRequest,
  PushMessage,
  Quote,
  SupplierAdapter,
} from '../../services/suppliers/adapter.ts';
import type { QuotaReport } from '../../services/suppliers/adapter-parts.ts';
import { REGISTRY } from '../../services/suppliers/registry.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { memoryTokens } from '../fixtures/memory-tokens.ts';
import type { Bench, BenchSetup, BookedOrder } from './bench.ts';
import { aPushEar } from './push-ear.ts';

/** Far longer than any answer of a sandbox. */
export const soon = (): AbortSignal => AbortSignal.timeout(15_000);

/** What one test holds in its hands. */
export interface Kit {
  readonly bench: Bench;
  /** Plain, as the registry makes it, without patience around it. */
  readonly adapter: SupplierAdapter;
  /** What the adapter told about its limits. */
  readonly quotaReports: readonly QuotaReport[];
  quote(): Promise<Quote>;
  /** The purchase of both articles (or of the first, where lines cannot be combined), with a reference of its own. */
  request(changes?: Partial<PlaceRequest>): Promise<PlaceRequest>;
  /** Placed and, whatever the supplier's way of paying is, paid. */
  paidOrder(changes?: Partial<PlaceRequest>): Promise<OrderKey>;
  /** Living orders under our reference in the supplier's book. */
  living(callerRef: string): Promise<BookedOrder[]>;
  /** Pushes from now on, as they come in. */
  pushes(manner?: Parameters<Bench['sendPushes']>[1]): Promise<readonly PushMessage[]>;
}

export async function aKit(setup: BenchSetup): Promise<Kit> {
  const bench = await setup.start();
  const quotaReports: QuotaReport[] = [];
  const parts = {
    settings: readSettings(bench.environment),
    log: pino({ level: 'silent' }),
    tokens: memoryTokens(),
    reserve: async () => {},
    takeTurn: async () => ({ isLost: () => false, end: async () => {} }),
    report: async (report: QuotaReport) => {
      quotaReports.push(report);
    },
    send: sendOnce,
  };
  const adapter = await REGISTRY[setup.supplier].create(parts);
  await bench.connect(parts);

  const articles = adapter.capabilities.combinesLines ? bench.articles : bench.articles.slice(0, 1);
  const { shipsFrom, shippingMethod, recipient } = bench;
  const destination = { countryCode: recipient.countryCode, zip: recipient.zip };
  const quote = (): Promise<Quote> => adapter.quote({ destination, shipsFrom, articles }, soon());

  const request: Kit['request'] = async (changes = {}) => {
    const { goodsMinor, options, currency } = await quote();
    const option = options.find((each) => each.shippingMethod === shippingMethod);
    expect(option, `quote() must offer the bench's shippingMethod "${shippingMethod}"`).toBeDefined();
    return {
      callerRef: `sup_ord_${crypto.randomUUID().slice(0, 13)}`,
      recipient,
      shipsFrom,
      shippingMethod,
      lines: articles.map((article, index) => ({ ...article, lineId: `line-${index + 1}` })),
      ceilingMinor: Math.floor((goodsMinor + (option?.costMinor ?? 0)) * 1.1),
      currency,
      ...changes,
    };
  };

  const payFor = async (order: OrderKey, { isPaid }: PlacedOrder): Promise<void> => {
    if (isPaid) return;
    if (adapter.capabilities.payment !== 'by_call') return bench.payByHand(order);
    await adapter.preparePayment(order, soon());
    await adapter.pay(order.supplierReference, soon());
  };

  return {
    bench,
    adapter,
    quotaReports,
    quote,
    request,
    async paidOrder(changes) {
      const wanted = await request(changes);
      const placed = await adapter.place(wanted, soon());
      const lines = wanted.lines.map(({ lineId, supplierVariantId, units: supplierUnits }) => ({
        lineId,
        supplierVariantId,
        supplierUnits,
      }));
      const { supplierReference } = placed;
      const order = { supplierReference, callerRef: wanted.callerRef, lines };
      await payFor(order, placed);
      return order;
    },
    living: async (callerRef) => (await bench.book(callerRef)).filter(({ isCancelled }) => !isCancelled),
    async pushes(manner = 'once') {
      const ear = await aPushEar(setup.supplier, onTestFinished);
      await bench.sendPushes(ear.url, manner);
      if (adapter.capabilities.pushes === 'by_call') await adapter.registerPush(ear.url, soon());
      ear.forget();
      return ear.heard;
    },
  };
}

/** Whoever makes a promise and says `no` has to say it as the interface wants it; the error comes back for a closer look. */
export async function refusal(deed: string, promise: Promise<unknown>): Promise<SupplierError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error, `${deed} must be refused`).not.toBeNull();
  if (error instanceof SupplierError) return error;
  const thrown = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  throw new Error(`${deed} must throw SupplierError and nothing else, but threw ${thrown}`, { cause: error });
}

/** Refused with one of these classes. */
export async function refusedAs(
  deed: string,
  promise: Promise<unknown>,
  ...classes: readonly FailureClass[]
): Promise<SupplierError> {
  const error = await refusal(deed, promise);
  const wanted = `${deed} must be refused as ${classes.join(' or ')}`;
  expect(classes, `${wanted}, not as ${error.failureClass} (${error.message})`).toContain(error.failureClass);
  return error;
}
