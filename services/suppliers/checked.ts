import { z } from 'zod';
import {
  Attention,
  ObservedParcel,
  SupplierOrderObserved,
} from '../../contracts/events/supplier-order-observed.ts';
import { type Evidence, FailureClass } from '../../contracts/vocabulary.ts';
import { cutTo, isStorable } from '../store/storable.ts';
import type { ObservedStatus, SupplierAdapter } from './adapter.ts';
import { SupplierError } from './supplier-error.ts';

const MOST_CHARACTERS = 2_000;
const MOST_ENTRIES = 500;

const Text = z.string().max(MOST_CHARACTERS).refine(isStorable);
/** May name many orders in one. */
const Reference = z.string().min(1).max(20_000).refine(isStorable);
const Name = Text.min(1);
const Amount = z.int().nonnegative();
const Few = z.record(Name, z.union([Text, z.number(), z.boolean(), z.null()]));

const Placed = z.object({
  supplierReference: Reference,
  amountMinor: Amount.nullable(),
  currency: Name,
  isPaid: z.boolean().nullable(),
  heldBack: Text.optional(),
});
const Found = Placed.extend({
  callerRef: Text,
  isCancelled: z.boolean(),
  articles: z.array(z.object({ supplierVariantId: Name, units: z.int() })).max(MOST_ENTRIES),
  createdAt: Text.nullable(),
  createdLocally: Text.optional(),
});
const Due = z.object({
  state: z.enum(['due', 'paid', 'cancelled', 'unclear']),
  shownAs: Text.optional(),
  amountMinor: Amount.nullable(),
  currency: Name,
  balanceMinor: z.int().nullable(),
  payUntil: Text.nullish(),
  payWithinSeconds: z.number().optional(),
});
const Observed = z.object({
  status: SupplierOrderObserved.shape.status.nullable(),
  parcels: z
    .array(
      ObservedParcel.extend({
        trackingNumber: Name,
        lastMileTrackingNumber: Text.nullable(),
        carrier: Text.nullable(),
        trackingUrl: Text.nullable(),
        units: z.record(z.string(), z.int().nonnegative()).optional(),
      }),
    )
    .max(MOST_ENTRIES),
  evidence: Few,
  attention: Attention.extend({ evidence: Few }).optional(),
  amountMinor: Amount.optional(),
});
const Quoted = z.object({
  currency: Name,
  goodsMinor: Amount,
  options: z
    .array(
      z.object({
        shippingMethod: Name,
        costMinor: Amount,
        deliveryDays: z.object({ min: z.number(), max: z.number() }).nullable(),
      }),
    )
    .max(MOST_ENTRIES),
  articles: z.map(
    z.string(),
    z.object({
      unitPriceMinor: Amount,
      stock: z.number().nullable(),
      optionLabels: z.array(Text),
      variantId: Name.optional(),
    }),
  ),
});

const SHAPELESS: Evidence = {
  shape: 'unknown',
  cause: 'the adapter of this supplier answers what nobody can read',
};

/** What can be told of evidence that is no such: its short texts, its numbers and the like. */
function told(evidence: unknown): Evidence {
  const kept: Record<string, Evidence[string]> = {};
  for (const [name, value] of Object.entries(z.record(z.string(), z.unknown()).catch({}).parse(evidence))) {
    if (typeof value === 'string') kept[name] = cutTo(MOST_CHARACTERS, value);
    else if (typeof value === 'number' || typeof value === 'boolean' || value === null) kept[name] = value;
  }
  return kept;
}

/** What an adapter throws, so that it can be told on. @param unsaid the class of a failure of no class. */
function sound(error: unknown, unsaid: FailureClass): unknown {
  if (!(error instanceof SupplierError)) return error;
  const { failureClass, evidence, message, cause } = error;
  const known = FailureClass.safeParse(failureClass).data;
  if (known !== undefined && Few.safeParse(evidence).success) return error;
  return new SupplierError(known ?? unsaid, message, told(evidence), cause);
}

/**
 * Makes the call. What it throws can be told on; an answer of no known shape is one of the class `unsaid`: written down, it
 * would stop its order at the next reader.
 */
async function sane<T>(shape: z.ZodType, unsaid: FailureClass, call: () => Promise<T>): Promise<T> {
  let answer: T;
  try {
    answer = await call();
  } catch (error) {
    throw sound(error, unsaid);
  }
  const read = shape.safeParse(answer);
  if (read.success) return answer;
  const at = read.error.issues[0]?.path.map(String).join('.') ?? '';
  throw new SupplierError(unsaid, 'the answer has an unknown shape', { ...SHAPELESS, at }, read.error);
}

const Statuses = z.map(z.string(), z.unknown());

/** Those that can be told; an order of which nothing can be is as if its supplier did not show it. */
function readable(seen: ReadonlyMap<string, ObservedStatus>): ReadonlyMap<string, ObservedStatus> {
  const kept = new Map([...seen].filter(([, status]) => Observed.safeParse(status).success));
  if (kept.size === 0 && seen.size > 0)
    throw new SupplierError('permanent', 'the answer has an unknown shape', SHAPELESS);
  return kept;
}

/**
 * The adapter with its answers looked at: types are a promise that nothing keeps at run time, and an adapter may pass on what
 * its supplier says. What spends and answers so is in doubt, what only asks is refused.
 * @throws TypeError for a `statusBatchSize` with which the watch would ask for no order, for ever.
 */
export function checked(adapter: SupplierAdapter): SupplierAdapter {
  const { statusBatchSize } = adapter.capabilities;
  if (!Number.isInteger(statusBatchSize) || statusBatchSize < 1)
    throw new TypeError(`${adapter.name}: its statusBatchSize has to be a whole number, 1 or more`);
  return {
    name: adapter.name,
    capabilities: adapter.capabilities,
    checkRecipient: (recipient) => adapter.checkRecipient(recipient),
    readPush: (message) => adapter.readPush(message),
    search: (request, signal) => adapter.search(request, signal),
    product: (request, signal) => adapter.product(request, signal),
    registerPush: (url, signal) => adapter.registerPush(url, signal),
    quote: (request, signal) => sane(Quoted, 'permanent', () => adapter.quote(request, signal)),
    ...(adapter.beforePlace === undefined
      ? {}
      : {
          beforePlace: (request, signal) =>
            sane(z.unknown(), 'permanent', async () => adapter.beforePlace?.(request, signal)),
        }),
    place: (request, signal) => sane(Placed, 'unknown_outcome', () => adapter.place(request, signal)),
    lookUp: (callerRef, signal, since) =>
      sane(z.array(Found), 'permanent', () => adapter.lookUp(callerRef, signal, since)),
    ...(adapter.standing === undefined
      ? {}
      : {
          standing: (callerRefs, signal) =>
            sane(
              z.set(z.string()).nullable(),
              'permanent',
              async () => (await adapter.standing?.(callerRefs, signal)) ?? null,
            ),
        }),
    preparePayment: (key, signal) => sane(Due, 'permanent', () => adapter.preparePayment(key, signal)),
    pay: (reference, signal) => sane(z.unknown(), 'unknown_outcome', () => adapter.pay(reference, signal)),
    status: async (keys, signal) =>
      readable(await sane(Statuses, 'permanent', () => adapter.status(keys, signal))),
    cancel: (key, signal) => sane(z.unknown(), 'permanent', () => adapter.cancel(key, signal)),
    read: (reference, signal) => sane(Found.nullable(), 'permanent', () => adapter.read(reference, signal)),
  };
}
