import type { SourcedPart } from '../../contracts/events/order-sourced.ts';
import type { MappingCandidate } from '../../contracts/resources/product-mapping.ts';
import {
  articlesOf,
  type GroupQuote,
  type QuoteDesk,
  type SeenNow,
  type SourcingPorts,
  type Wish,
} from './quote-desk.ts';
import type { Refusal } from './refusal.ts';

export interface PlannedPart extends SourcedPart {
  readonly goodsMinor: number;
  /** Freight, duty, tax and fees, as far as the supplier names them. */
  readonly shippingMinor: number;
  readonly daysToDeliver: { readonly min: number; readonly max: number } | null;
}

/** A candidate that did not get all that was wanted of it, with each reason. */
export interface PassedOver {
  readonly lineId: string;
  readonly candidate: MappingCandidate;
  readonly refusals: readonly Refusal[];
}

/** Units of a line with the candidates still to be tried, the first of them now. */
export interface Trial {
  readonly lineId: string;
  readonly units: number;
  readonly untried: readonly [MappingCandidate, ...MappingCandidate[]];
  /** Quoted apart from its neighbours, because together they were refused. */
  readonly isAlone: boolean;
}

export interface Allocation {
  readonly parts: PlannedPart[];
  readonly passedOver: PassedOver[];
  readonly seen: SeenNow[];
  /** Lines of which some units found nobody. */
  readonly unmet: ReadonlySet<string>;
}

export const isFilled = <T>(list: readonly T[]): list is readonly [T, ...T[]] => list.length > 0;

const toWish = ({ lineId, units, untried: [candidate] }: Trial): Wish => ({ lineId, units, candidate });

/**
 * Lines of one purchase: the same supplier, warehouse and preferred method. @param lineId of a line that is bought by
 * itself; empty: together with others.
 */
export const partKey = (
  {
    supplier,
    shipsFrom,
    shippingMethod = '',
  }: Pick<MappingCandidate, 'supplier' | 'shipsFrom' | 'shippingMethod'>,
  lineId: string,
): string => [supplier, shipsFrom, shippingMethod, lineId].join('/');

const isCombined = ({ adapterOf }: SourcingPorts, { supplier }: MappingCandidate): boolean =>
  adapterOf(supplier)?.capabilities.combinesLines !== false;

const partOf = (ports: SourcingPorts, { lineId, untried: [candidate], isAlone }: Trial): string =>
  partKey(candidate, isAlone || !isCombined(ports, candidate) ? lineId : '');

const sameArticlesKey = (candidate: MappingCandidate): string =>
  JSON.stringify(
    articlesOf(candidate).map(({ supplierProductId, supplierVariantId }) => [
      supplierProductId,
      supplierVariantId,
    ]),
  );

/**
 * Lines of the same articles go together at every supplier: apart they would pay for shipping twice, and AliExpress may
 * take the second purchase for the first one repeated.
 */
const groupsOf = (ports: SourcingPorts, trials: readonly Trial[]): Trial[][] => {
  const together = Map.groupBy(
    trials.filter(({ isAlone }) => !isAlone),
    ({ untried: [candidate] }) =>
      partKey(candidate, isCombined(ports, candidate) ? '' : sameArticlesKey(candidate)),
  );
  return [...together.values(), ...trials.filter(({ isAlone }) => isAlone).map((trial) => [trial])];
};

const toPart = (
  part: string,
  wishes: readonly [Wish, ...Wish[]],
  { quote, option }: Extract<GroupQuote, { result: 'quoted' }>,
): PlannedPart => ({
  supplier: wishes[0].candidate.supplier,
  part,
  shipsFrom: wishes[0].candidate.shipsFrom,
  shippingMethod: option.shippingMethod,
  goodsMinor: quote.goodsMinor,
  shippingMinor: option.costMinor,
  expectedCostMinor: quote.goodsMinor + option.costMinor,
  currency: quote.currency,
  daysToDeliver: option.deliveryDays,
  ...(option.deliveryDays === null ? {} : { deliveryDays: option.deliveryDays.max }),
  lines: wishes.flatMap(({ lineId, units, candidate }) =>
    articlesOf(candidate).map(({ supplierProductId, supplierVariantId, unitsPerItem }, index) => {
      // Found orders are compared with what stands here, and they know their articles by the supplier's own ids.
      const { variantId = supplierVariantId } = quote.articles.get(supplierVariantId) ?? {};
      return {
        lineId,
        units: index === 0 ? units : 0,
        supplierProductId,
        supplierVariantId: variantId,
        ...(variantId === supplierVariantId ? {} : { mappedVariantId: supplierVariantId }),
        supplierUnits: units * unitsPerItem,
      };
    }),
  ),
});

/** @param index from 0, of the purchases that have the key. */
export const withNumber = (part: string, index: number): string => (index === 0 ? part : `${part}#${index}`);

/** The same purchase can be reached in different rounds of trying; its key must stay unique. */
const withUniqueKeys = (parts: readonly PlannedPart[]): PlannedPart[] =>
  [...Map.groupBy(parts, ({ part }) => part).values()].flatMap((same) =>
    same.map((part, index) => ({ ...part, part: withNumber(part.part, index) })),
  );

/**
 * Gives every unit to the first candidate of its line that has it: several lines in one purchase where they can go
 * together, one line in several where no candidate has enough. A refused purchase is tried line by line first.
 * @throws SupplierError when a supplier does not answer.
 */
export async function allocate(
  ports: SourcingPorts,
  desk: QuoteDesk,
  wanted: readonly Trial[],
): Promise<Allocation> {
  const parts: PlannedPart[] = [];
  const passedOver: PassedOver[] = [];
  const seen: SeenNow[] = [];
  const unmet = new Set<string>();

  /** What one candidate has too little of, or nothing: the rest of it is for the next one. */
  const goOn = async (trial: Trial, refusal: Refusal): Promise<Trial[]> => {
    const { lineId, units, untried } = trial;
    const [candidate, ...rest] = untried;
    passedOver.push({ lineId, candidate, refusals: [refusal] });
    const isShort = refusal.isShort === true && units > 1;
    const found = isShort ? await desk.available(toWish(trial)) : 0;
    // A supplier that refused what it says it has is not believed.
    const available = found < units ? found : 0;
    if (!isFilled(rest)) unmet.add(lineId);
    return [
      ...(available > 0 ? [{ ...trial, units: available, isAlone: true }] : []),
      ...(isFilled(rest) ? [{ lineId, units: units - available, untried: rest, isAlone: false }] : []),
    ];
  };

  let trials: readonly Trial[] = wanted;
  while (trials.length > 0) {
    const next: Trial[] = [];
    for (const group of groupsOf(ports, trials)) {
      const [first] = group;
      const wishes = group.map(toWish);
      const answer = await desk.quote(wishes);
      if (first === undefined || !isFilled(wishes)) continue;
      if (answer.result === 'quoted') {
        desk.reserve(wishes);
        seen.push(...answer.seen);
        parts.push(toPart(partOf(ports, first), wishes, answer));
      } else if (group.length > 1) next.push(...group.map((trial) => ({ ...trial, isAlone: true })));
      else next.push(...(await goOn(first, answer)));
    }
    trials = next;
  }
  return { parts: withUniqueKeys(parts), passedOver, seen, unmet };
}
