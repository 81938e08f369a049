import type { OrderRefusal, RefusedLine } from '../../contracts/events/order-sourced.ts';
import { convertMinor } from '../../contracts/exchange-rates.ts';
import type { MappingCandidate } from '../../contracts/resources/product-mapping.ts';
import type { Evidence, SupplierName } from '../../contracts/vocabulary.ts';
import type { Acceptance } from './acceptances.ts';
import type { Destination, Recipient, RecipientCheck } from './adapter.ts';
import {
  type Allocation,
  allocate,
  isFilled,
  type PassedOver,
  type PlannedPart,
  type Trial,
} from './allocate.ts';
import { type Margin, marginOf, marginStop, type Sale } from './margin.ts';
import { createPreflight } from './preflight.ts';
import {
  createQuoteDesk,
  daysOf,
  type QuoteDesk,
  type SeenNow,
  type SourcingPorts,
  type Wish,
} from './quote-desk.ts';
import { delivers } from './read-candidates.ts';
import { isAmong, type RefusedArticle } from './refused-articles.ts';
import { SupplierError } from './supplier-error.ts';

export interface WantedLine {
  readonly lineId: string;
  readonly units: number;
  readonly variantId: string | null;
  readonly sku: string | null;
  /** False: its mapping has none yet. */
  readonly isSkuMapped: boolean;
  /** What the customer was asked for one unit, in the currency of the sale. */
  readonly unitPriceMinor: number;
  readonly candidates: readonly MappingCandidate[];
  /** When they were put. Null: there is no mapping; absent: nobody has ordered yet. */
  readonly mappedAt?: string | null;
  /** Tried last: whoever lets the order go on wants what it has not been refused yet. Absent: nothing was. */
  readonly refused?: readonly RefusedArticle[];
}

/** An order, or what one would be. */
export interface Wanted {
  readonly lines: readonly WantedLine[];
  /** Undefined: the order has no address. */
  readonly destination: Destination | undefined;
  /** Null: nobody has ordered yet. */
  readonly recipient: Recipient | null;
  /** Null: nobody said what the customer pays. */
  readonly sale: Sale | null;
  readonly acceptances: readonly Acceptance[];
  /** What can be had of it is bought while the rest is held. */
  readonly isPartly: boolean;
}

export interface SourcingPlan {
  readonly parts: readonly PlannedPart[];
  /** Lines of which some or all units cannot be had; one with several reasons stands here several times. */
  readonly refused: readonly RefusedLine[];
  /** Whether the shop buys this much of the order, if nothing stops it. */
  readonly isBought: boolean;
  /** Reasons not to buy any of it. */
  readonly stops: readonly OrderRefusal[];
  readonly passedOver: readonly PassedOver[];
  readonly margin: Margin;
  readonly repairs: readonly ({ readonly supplier: SupplierName } & RecipientCheck['repairs'][number])[];
  readonly seen: readonly SeenNow[];
}

export type SourcingAnswer =
  | { result: 'planned'; plan: SourcingPlan }
  /** A supplier did not answer: nothing can be said about the order yet. */
  | { result: 'ask_again'; failure: SupplierError };

/**
 * Says what would be bought where, what it costs, what is left of the customer's money, and what cannot be had or must
 * not be bought. Buys nothing and writes nothing: preview and live run are this function.
 */
export async function planSourcing(ports: SourcingPorts, wanted: Wanted): Promise<SourcingAnswer> {
  try {
    return { result: 'planned', plan: await plan(ports, wanted) };
  } catch (error) {
    if (error instanceof SupplierError) return { result: 'ask_again', failure: error };
    throw error;
  }
}

const NOTHING: Allocation = { parts: [], passedOver: [], seen: [], unmet: new Set() };

async function plan(ports: SourcingPorts, wanted: Wanted): Promise<SourcingPlan> {
  const { lines, destination, recipient, sale, acceptances, isPartly } = wanted;
  const { settings } = ports;
  const preflight = createPreflight(ports, recipient, acceptances);
  const refused: RefusedLine[] = [];
  const trials: Trial[] = [];
  const unfit: PassedOver[] = [];
  const desk = destination === undefined ? null : createQuoteDesk(ports, destination, isRefusedSo(lines));
  for (const line of lines) {
    const { lineId, units } = line;
    const delivering = forCountry(line, destination);
    if ('reason' in delivering) {
      refused.push({ lineId, ...delivering });
      continue;
    }
    const fit = delivering.candidates.filter((candidate) => {
      const refusals = preflight.problems(candidate.supplier, lineId);
      if (refusals.length > 0) unfit.push({ lineId, candidate, refusals });
      return refusals.length === 0;
    });
    const untried = desk === null ? fit : refusedLast(line, await inOrder(ports, desk, line, fit));
    if (isFilled(untried)) trials.push({ lineId, units, untried, isAlone: false });
    else refused.push(...reasonsOf(lineId, unfit));
  }
  const allocation = desk === null ? NOTHING : await allocate(ports, desk, trials);
  const { parts, seen, unmet } = allocation;
  const passedOver = [...unfit, ...allocation.passedOver];
  for (const lineId of unmet) refused.push(...reasonsOf(lineId, passedOver));

  const costs = parts.map(({ expectedCostMinor: amountMinor, currency }) => ({ amountMinor, currency }));
  const margin = marginOf(sale, listPriceOf(lines, parts), costs, settings.ORDER_MANAGER_EXCHANGE_RATES);
  const isBought = parts.length > 0 && (refused.length === 0 || isPartly);
  const stop = isBought ? marginStop(margin, settings.ORDER_MANAGER_MARGIN_FLOOR_PERCENT, acceptances) : null;
  const suppliers = [...new Set(parts.map(({ supplier }) => supplier))];
  const repairs = suppliers.flatMap((supplier) =>
    preflight.repairs(supplier).map((repair) => ({ supplier, ...repair })),
  );
  const stops = stop === null ? [] : [stop];
  return { parts, refused, isBought, stops, passedOver, margin, repairs, seen };
}

/** The candidates that deliver there, the lowest priority number first; or why there are none. */
function forCountry(
  { candidates, variantId, sku }: WantedLine,
  destination: Destination | undefined,
): { candidates: MappingCandidate[] } | Omit<RefusedLine, 'lineId'> {
  if (destination === undefined)
    return { reason: 'address_invalid', evidence: { missing: 'shipping address' } };
  if (candidates.length === 0) return { reason: 'unmapped_line', evidence: { variantId, sku } };
  const { countryCode } = destination;
  const delivering = candidates.filter((candidate) => delivers(candidate, countryCode));
  if (delivering.length > 0) return { candidates: delivering.toSorted((a, b) => a.priority - b.priority) };
  const evidence = { variantId, country: countryCode, cause: 'no candidate delivers there' };
  return { reason: 'not_shippable', evidence };
}

/**
 * By the shop's strategy. Cost and days are those of the line alone; a cost without an exchange rate, unknown days and
 * whatever is refused come last, each in the order of their priority.
 */
async function inOrder(
  { settings }: SourcingPorts,
  desk: QuoteDesk,
  { lineId, units }: WantedLine,
  candidates: readonly MappingCandidate[],
): Promise<readonly MappingCandidate[]> {
  const strategy = settings.ORDER_MANAGER_SOURCING_STRATEGY;
  if (strategy === 'preferred' || candidates.length < 2) return candidates;
  const scored: { candidate: MappingCandidate; score: number }[] = [];
  for (const candidate of candidates) {
    const answer = await desk.quote([{ lineId, units, candidate }]);
    if (answer.result === 'refused') {
      scored.push({ candidate, score: Number.POSITIVE_INFINITY });
      continue;
    }
    const { quote, option } = answer;
    const rates = settings.ORDER_MANAGER_EXCHANGE_RATES;
    const cost = convertMinor(quote.goodsMinor + option.costMinor, quote.currency, 'USD', rates);
    scored.push({ candidate, score: strategy === 'fastest' ? daysOf(option) : (cost ?? Infinity) });
  }
  // Two that are unknown are as good as each other, and infinity less infinity is no number.
  return scored
    .toSorted((a, b) => (a.score === b.score ? 0 : a.score - b.score))
    .map(({ candidate }) => candidate);
}

const isRefusedSo =
  (lines: readonly WantedLine[]) =>
  ({ lineId, candidate }: Wish, shippingMethod: string): boolean =>
    lines.some(
      (line) =>
        line.lineId === lineId &&
        isAmong(
          (line.refused ?? []).filter(({ refusedMethod }) => refusedMethod === shippingMethod),
          candidate,
        ),
    );

function refusedLast(
  { refused = [] }: WantedLine,
  candidates: readonly MappingCandidate[],
): readonly MappingCandidate[] {
  const wasRefused = (candidate: MappingCandidate): boolean => isAmong(refused, candidate);
  return [...candidates.filter((one) => !wasRefused(one)), ...candidates.filter(wasRefused)];
}

/**
 * Why a line found nobody: a changed mapping before all, since to mend that is the shop keeper's, else what the first
 * of its candidates lacked. The reasons of the others stand beside it.
 */
function reasonsOf(lineId: string, passedOver: readonly PassedOver[]): RefusedLine[] {
  const own = passedOver.filter((passed) => passed.lineId === lineId);
  const told =
    own.find(({ refusals }) => refusals.some(({ reason }) => reason === 'mapping_changed')) ?? own[0];
  if (told === undefined) return [];
  const others = own.filter((passed) => passed !== told).flatMap(({ refusals }) => refusals);
  const more: Evidence =
    others.length === 0 ? {} : { otherCandidates: others.map(({ reason }) => reason).join(', ') };
  return told.refusals.map(({ reason, evidence }) => ({
    lineId,
    reason,
    evidence: { ...evidence, ...more },
  }));
}

/** What the customer was asked for the units that are bought. */
function listPriceOf(lines: readonly WantedLine[], parts: readonly PlannedPart[]): number {
  const prices = new Map(lines.map(({ lineId, unitPriceMinor }) => [lineId, unitPriceMinor]));
  return parts
    .flatMap((part) => part.lines)
    .reduce((sum, { lineId, units }) => sum + units * (prices.get(lineId) ?? 0), 0);
}
