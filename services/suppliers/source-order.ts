import type { SourceOrder } from '../../contracts/commands/source-order.ts';
import {
  ORDER_SOURCED,
  type OrderSourced,
  type RefusedLine,
  type SourcedPart,
} from '../../contracts/events/order-sourced.ts';
import type { MappingCandidate } from '../../contracts/resources/product-mapping.ts';
import type { Evidence, FailureClass, HoldReason } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { DONE } from '../serve-commands.ts';
import type { Sql } from '../store/store.ts';
import type { Quote, ShippingOption } from './adapter.ts';
import { callTimeoutMs, type PurchasePorts, toSupplierError } from './purchase-ports.ts';
import { readRecipient } from './recipient.ts';

interface WantedLine {
  readonly lineId: string;
  readonly units: number;
  readonly variantId: string | null;
  readonly sku: string | null;
  readonly candidates: readonly MappingCandidate[];
}

async function readWanted(sql: Sql, command: SourceOrder): Promise<WantedLine[]> {
  const rows = await sql.query<{
    lineId: string;
    variantId: string | null;
    sku: string | null;
    candidates: MappingCandidate[] | null;
  }>(
    `select l.line_id as "lineId", l.variant_id as "variantId", l.sku, m.candidates
       from order_lines l left join product_mappings m on m.variant_id = l.variant_id
      where l.order_id = $1 order by l.position`,
    [command.orderId],
  );
  const units = new Map(command.lines.map((line) => [line.lineId, line.units]));
  return rows.flatMap((row) => {
    const count = units.get(row.lineId);
    return count === undefined ? [] : [{ ...row, units: count, candidates: row.candidates ?? [] }];
  });
}

/** Of the candidates that deliver to the country, the one with the lowest priority number. */
const choose = (candidates: readonly MappingCandidate[], countryCode: string): MappingCandidate | undefined =>
  candidates
    .filter(({ countries }) => countries.length === 0 || countries.includes(countryCode))
    .toSorted((a, b) => a.priority - b.priority)[0];

interface Part {
  readonly candidate: MappingCandidate;
  readonly lines: { readonly wanted: WantedLine; readonly candidate: MappingCandidate }[];
}

const HOLD_OF: Partial<Record<FailureClass, HoldReason>> = {
  auth: 'credentials_expired',
  not_found: 'mapping_changed',
  unavailable: 'out_of_stock',
  not_shippable: 'not_shippable',
  account_blocked: 'account_risk',
  invalid_input: 'supplier_rejected',
  permanent: 'supplier_rejected',
};

/** The method that the mapping prefers when it is offered, else the cheapest in total. */
const pick = (quote: Quote, preferred: string | undefined): ShippingOption | undefined =>
  quote.options.find(({ shippingMethod }) => shippingMethod === preferred) ??
  quote.options.toSorted((a, b) => a.costMinor - b.costMinor)[0];

/**
 * Finds who delivers the wanted units and answers with `order.sourced`: parts to buy, and each line that cannot be
 * had with its reason. Buys nothing. When a supplier does not answer, nothing is said: the order's deadline asks again.
 */
export async function sourceOrder(ports: PurchasePorts, command: SourceOrder): Promise<CommandResult> {
  const { store, bus, log } = ports;
  const recipient = await readRecipient(store, command.orderId);
  const wanted = await readWanted(store, command);
  const refused: RefusedLine[] = [];
  const refuse = (line: WantedLine, reason: HoldReason, evidence: Evidence): void => {
    refused.push({ lineId: line.lineId, reason, evidence });
  };

  const parts = new Map<string, Part>();
  for (const line of wanted) {
    const { variantId, sku } = line;
    if (recipient === undefined) {
      refuse(line, 'address_invalid', { missing: 'shipping address' });
      continue;
    }
    if (line.candidates.length === 0) {
      refuse(line, 'unmapped_line', { variantId, sku });
      continue;
    }
    const candidate = choose(line.candidates, recipient.countryCode);
    if (candidate === undefined) {
      refuse(line, 'not_shippable', {
        variantId,
        country: recipient.countryCode,
        cause: 'no candidate delivers there',
      });
      continue;
    }
    // Another preferred method is another parcel.
    const key = [candidate.supplier, candidate.shipsFrom, candidate.shippingMethod ?? ''].join('/');
    const part = parts.get(key) ?? { candidate, lines: [] };
    part.lines.push({ wanted: line, candidate });
    parts.set(key, part);
  }

  const sourced: SourcedPart[] = [];
  for (const [key, part] of parts) {
    const answer = await quotePart(ports, part, recipient);
    if (answer.result === 'ask_again') {
      log.warn(
        { orderId: command.orderId, evidence: answer.evidence },
        'the quote failed, sourcing is asked for again',
      );
      return DONE;
    }
    if (answer.result === 'refused') {
      for (const { wanted: line } of part.lines) refuse(line, answer.reason, answer.evidence);
      continue;
    }
    sourced.push({ ...answer.part, part: key });
  }
  const { orderId, round } = command;
  const data: OrderSourced = { orderId, round, parts: sourced, refused };
  const row = eventRow({
    messageId: `src:${orderId}:${round}`,
    source: '/suppliers',
    type: ORDER_SOURCED,
    orderId,
    data,
  });
  await commitAndPublish(store, bus, async (_sql, say) => say(row));
  return DONE;
}

type PartAnswer =
  | { result: 'quoted'; part: Omit<SourcedPart, 'part'> }
  | { result: 'refused'; reason: HoldReason; evidence: Evidence }
  | { result: 'ask_again'; evidence: Evidence };

async function quotePart(
  ports: PurchasePorts,
  { candidate, lines }: Part,
  recipient: { countryCode: string; zip: string } | undefined,
): Promise<PartAnswer> {
  const { supplier, shipsFrom } = candidate;
  const adapter = ports.adapterOf(supplier);
  if (adapter === undefined)
    return { result: 'refused', reason: 'supplier_paused', evidence: { supplier, cause: 'no credentials' } };
  if (recipient === undefined) return { result: 'refused', reason: 'address_invalid', evidence: {} };
  const articles = lines.map(
    ({ wanted, candidate: { supplierProductId, supplierVariantId, unitsPerItem } }) => ({
      supplierProductId,
      supplierVariantId,
      units: wanted.units * unitsPerItem,
    }),
  );
  const destination = { countryCode: recipient.countryCode, zip: recipient.zip };
  try {
    const signal = AbortSignal.timeout(callTimeoutMs(ports.settings) * 2);
    const quote = await adapter.quote({ destination, shipsFrom, articles }, signal);
    const option = pick(quote, candidate.shippingMethod);
    if (option === undefined) {
      return {
        result: 'refused',
        reason: 'not_shippable',
        evidence: { supplier, shipsFrom, country: destination.countryCode },
      };
    }
    return {
      result: 'quoted',
      part: {
        supplier,
        shipsFrom,
        shippingMethod: option.shippingMethod,
        expectedCostMinor: quote.goodsMinor + option.costMinor,
        currency: quote.currency,
        lines: lines.map(({ wanted, candidate: chosen }) => ({
          lineId: wanted.lineId,
          units: wanted.units,
          supplierProductId: chosen.supplierProductId,
          supplierVariantId: chosen.supplierVariantId,
          supplierUnits: wanted.units * chosen.unitsPerItem,
        })),
      },
    };
  } catch (error) {
    const { failureClass, evidence } = toSupplierError(error);
    const reason = HOLD_OF[failureClass];
    return reason === undefined ? { result: 'ask_again', evidence } : { result: 'refused', reason, evidence };
  }
}
