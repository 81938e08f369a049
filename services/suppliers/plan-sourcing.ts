import type { RefusedLine, SourcedPart } from '../../contracts/events/order-sourced.ts';
import type { MappingCandidate } from '../../contracts/resources/product-mapping.ts';
import type { Evidence, FailureClass, HoldReason } from '../../contracts/vocabulary.ts';
import type { Destination, Quote, ShippingOption } from './adapter.ts';
import { callTimeoutMs, type PurchasePorts, toSupplierError } from './purchase-ports.ts';

export interface WantedLine {
  readonly lineId: string;
  readonly units: number;
  readonly variantId: string | null;
  readonly sku: string | null;
  readonly candidates: readonly MappingCandidate[];
}

export type SourcingAnswer =
  | { result: 'planned'; parts: SourcedPart[]; refused: RefusedLine[] }
  /** A supplier did not answer: nothing can be said about the order yet. */
  | { result: 'ask_again'; evidence: Evidence };

/** A line with the candidates still to be tried, the first of them now. */
interface Trial {
  readonly wanted: WantedLine;
  readonly untried: readonly MappingCandidate[];
  /** Quoted apart from its neighbours, because together they were refused. */
  readonly isAlone: boolean;
}

interface Refusal {
  readonly reason: HoldReason;
  readonly evidence: Evidence;
}

/** Refusals that another candidate may not have; the classes missing here pass by themselves. */
const HOLD_OF: Partial<Record<FailureClass, HoldReason>> = {
  auth: 'credentials_expired',
  not_found: 'mapping_changed',
  unavailable: 'out_of_stock',
  not_shippable: 'not_shippable',
  account_blocked: 'account_risk',
  invalid_input: 'supplier_rejected',
  permanent: 'supplier_rejected',
};

/** Those that deliver to the country, the lowest priority number first. */
const inOrder = (candidates: readonly MappingCandidate[], countryCode: string): MappingCandidate[] =>
  candidates
    .filter(({ countries }) => countries.length === 0 || countries.includes(countryCode))
    .toSorted((a, b) => a.priority - b.priority);

/** Lines of one purchase: the same supplier, warehouse and preferred method. */
const partOf = ({ wanted, untried: [candidate], isAlone }: Trial): string =>
  [
    candidate?.supplier,
    candidate?.shipsFrom,
    candidate?.shippingMethod ?? '',
    isAlone ? wanted.lineId : '',
  ].join('/');

/**
 * Allocates each line to its best candidate that can deliver, several lines to one purchase where they can go
 * together. A refused purchase is tried line by line first, then with each line's next candidate. Buys nothing.
 */
export async function planSourcing(
  ports: PurchasePorts,
  wanted: readonly WantedLine[],
  destination: Destination | undefined,
): Promise<SourcingAnswer> {
  const refused: RefusedLine[] = [];
  const parts: SourcedPart[] = [];
  const refuse = ({ lineId }: WantedLine, { reason, evidence }: Refusal): void => {
    refused.push({ lineId, reason, evidence });
  };

  let trials: Trial[] = [];
  for (const line of wanted) {
    const { variantId, sku } = line;
    const untried = inOrder(line.candidates, destination?.countryCode ?? '');
    if (destination === undefined)
      refuse(line, { reason: 'address_invalid', evidence: { missing: 'shipping address' } });
    else if (line.candidates.length === 0)
      refuse(line, { reason: 'unmapped_line', evidence: { variantId, sku } });
    else if (untried.length > 0) trials.push({ wanted: line, untried, isAlone: false });
    else {
      const evidence = { variantId, country: destination.countryCode, cause: 'no candidate delivers there' };
      refuse(line, { reason: 'not_shippable', evidence });
    }
  }

  while (trials.length > 0 && destination !== undefined) {
    const next: Trial[] = [];
    for (const [part, group] of Map.groupBy(trials, partOf)) {
      const answer = await quote(ports, group, destination);
      if (answer.result === 'ask_again') return answer;
      if (answer.result === 'quoted') {
        parts.push({ ...answer.part, part });
        continue;
      }
      for (const trial of group) {
        const isAlone = group.length > 1;
        const untried = isAlone ? trial.untried : trial.untried.slice(1);
        if (untried.length > 0) next.push({ ...trial, untried, isAlone });
        else refuse(trial.wanted, answer);
      }
    }
    trials = next;
  }
  return { result: 'planned', parts: mergeParts(parts), refused };
}

/** The same purchase can be reached by its lines in different rounds of trying; its key must stay unique. */
const mergeParts = (parts: readonly SourcedPart[]): SourcedPart[] =>
  [...Map.groupBy(parts, ({ part }) => part).values()].flatMap((same) =>
    same.map((part, index) => (index === 0 ? part : { ...part, part: `${part.part}#${index}` })),
  );

type PartAnswer =
  | { result: 'quoted'; part: Omit<SourcedPart, 'part'> }
  | ({ result: 'refused' } & Refusal)
  | { result: 'ask_again'; evidence: Evidence };

/** The method that the mapping prefers when it is offered, else the cheapest in total. */
const pick = ({ options }: Quote, preferred: string | undefined): ShippingOption | undefined =>
  options.find(({ shippingMethod }) => shippingMethod === preferred) ??
  options.toSorted((a, b) => a.costMinor - b.costMinor)[0];

async function quote(
  ports: PurchasePorts,
  group: readonly Trial[],
  destination: Destination,
): Promise<PartAnswer> {
  const lines = group.flatMap(({ wanted, untried: [candidate] }) =>
    candidate === undefined
      ? []
      : [{ wanted, candidate, supplierUnits: wanted.units * candidate.unitsPerItem }],
  );
  const first = lines[0]?.candidate;
  if (first === undefined) throw new RangeError('a quote without lines');
  const { supplier, shipsFrom } = first;
  const adapter = ports.adapterOf(supplier);
  if (adapter === undefined) {
    return { result: 'refused', reason: 'supplier_paused', evidence: { supplier, cause: 'no credentials' } };
  }
  const articles = lines.map(
    ({ candidate: { supplierProductId, supplierVariantId }, supplierUnits: units }) => ({
      supplierProductId,
      supplierVariantId,
      units,
    }),
  );
  try {
    const { countryCode, zip } = destination;
    const signal = AbortSignal.timeout(callTimeoutMs(ports.settings) * 2);
    const answer = await adapter.quote({ destination: { countryCode, zip }, shipsFrom, articles }, signal);
    const option = pick(answer, first.shippingMethod);
    if (option === undefined) {
      return {
        result: 'refused',
        reason: 'not_shippable',
        evidence: { supplier, shipsFrom, country: countryCode },
      };
    }
    const part = {
      supplier,
      shipsFrom,
      shippingMethod: option.shippingMethod,
      expectedCostMinor: answer.goodsMinor + option.costMinor,
      currency: answer.currency,
      ...(option.deliveryDays === null ? {} : { deliveryDays: option.deliveryDays.max }),
      lines: lines.map(({ wanted: { lineId, units }, candidate, supplierUnits }) => ({
        lineId,
        units,
        supplierProductId: candidate.supplierProductId,
        supplierVariantId: candidate.supplierVariantId,
        supplierUnits,
      })),
    };
    return { result: 'quoted', part };
  } catch (error) {
    const { failureClass, evidence } = toSupplierError(error);
    const reason = HOLD_OF[failureClass];
    return reason === undefined ? { result: 'ask_again', evidence } : { result: 'refused', reason, evidence };
  }
}
