import { callPatienceMs } from '../../contracts/call-patience.ts';
import { SUPPLIER_ORDER_PREPARED } from '../../contracts/events/supplier-order-prepared.ts';
import type { ProductVariant } from '../../contracts/resources/supplier-product.ts';
import type { FailureClass, HoldReason } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import { DONE } from '../serve-commands.ts';
import type { Recipient } from './adapter.ts';
import { judgedAnew } from './judged-anew.ts';
import { planSourcing, type WantedLine } from './plan-sourcing.ts';
import type { PatientAdapter } from './policy.ts';
import type { PurchaseFacts, PurchaseLine } from './purchase-facts.ts';
import {
  NO_ADDRESS,
  outcome,
  type PurchasePorts,
  sayToOrder,
  toSupplierError,
  type Withholding,
  withheld,
} from './purchase-ports.ts';
import { lockPurchase, type PurchaseRow } from './purchase-row.ts';
import { isSameMethod } from './quote-desk.ts';
import { withoutRecipient } from './recipient.ts';
import { REFUSAL_OF } from './refusal.ts';

interface Resolved {
  readonly variantId: string;
  readonly shipsFrom: string;
}

const MOST_CHOICES = 20;
/** Where a supplier ships from when it does not say. */
const USUAL_ORIGIN = 'CN';

const plain = (text: string): string => text.trim().toLowerCase();

const optionText = ({ id, options, title }: ProductVariant): string =>
  `${id} (${options.length === 0 ? title : options.map(({ name, value }) => `${name}: ${value}`).join(', ')})`;

const isWanted =
  (properties: Readonly<Record<string, string>>) =>
  ({ options }: ProductVariant): boolean =>
    Object.entries(properties).every(([name, value]) =>
      options.some((option) => plain(option.name) === plain(name) && plain(option.value) === plain(value)),
    );

/** The one variant that all properties name. Two of them, or none, are a person's choice: never another article. */
async function resolve(
  adapter: PatientAdapter,
  row: PurchaseRow,
  line: PurchaseLine,
  countryCode: string,
  signal: AbortSignal,
): Promise<Resolved | Withholding> {
  const { supplierProductId, supplierVariantId, properties } = line;
  // Sourced once already: only the quote is old.
  if (supplierVariantId !== '' && row.shipsFrom !== '')
    return { variantId: supplierVariantId, shipsFrom: row.shipsFrom };
  const { variants, shipsFrom } = await adapter.product({ supplierProductId, countryCode }, signal);
  const origin = shipsFrom[0] ?? USUAL_ORIGIN;
  const fitting =
    supplierVariantId === ''
      ? variants.filter(isWanted(properties))
      : variants.filter(({ id, sku }) => id === supplierVariantId || sku === supplierVariantId);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return { variantId: only.id, shipsFrom: origin };
  const choices = (fitting.length > 1 ? fitting : variants).slice(0, MOST_CHOICES).map(optionText).join('; ');
  const cause =
    fitting.length > 1 ? 'several variants have these properties' : 'no variant has these properties';
  return { reason: 'mapping_changed', evidence: { supplierProductId, cause, choices } };
}

/** Failures that a person has to see to, as in a quote; those missing here pass, and the purchase's deadline asks again. */
const HOLD_OF: Partial<Record<FailureClass, HoldReason>> = {
  ...REFUSAL_OF,
  invalid_input: 'mapping_changed',
};

/** Each article resolved to one variant; null: one could not be read, and is asked for again. */
async function wantedOf(
  ports: PurchasePorts,
  adapter: PatientAdapter,
  { row, lines }: PurchaseFacts,
  recipient: Recipient,
): Promise<WantedLine[] | Withholding | null> {
  const wanted: WantedLine[] = [];
  for (const bought of lines) {
    const { lineId, units, supplierUnits, supplierProductId } = bought;
    try {
      const signal = AbortSignal.timeout(callPatienceMs(ports.settings) * 2);
      const resolved = await resolve(adapter, row, bought, recipient.countryCode, signal);
      if ('reason' in resolved) return resolved;
      const { variantId: supplierVariantId } = resolved;
      // The first article of a bundle counts its units, the others that come with it say 0.
      const bundle = wanted.find((line) => line.lineId === lineId);
      if (bundle !== undefined) {
        const unitsPerItem = supplierUnits / bundle.units;
        bundle.candidates[0]?.bundledWith.push({ supplierProductId, supplierVariantId, unitsPerItem });
        continue;
      }
      const candidate = {
        supplier: row.supplier,
        supplierProductId,
        supplierVariantId,
        unitsPerItem: supplierUnits / units,
        bundledWith: [],
        countries: [],
        shipsFrom: resolved.shipsFrom,
        priority: 1,
        ...(row.shippingMethod === '' ? {} : { shippingMethod: row.shippingMethod }),
      };
      const line = { lineId, units, variantId: null, sku: null, isSkuMapped: true, unitPriceMinor: 0 };
      wanted.push({ ...line, candidates: [candidate] });
    } catch (error) {
      const { failureClass, evidence } = withoutRecipient(toSupplierError(error), recipient);
      ports.log.warn({ supplierOrderId: row.id, failureClass, evidence }, 'an article could not be read');
      const reason = HOLD_OF[failureClass];
      return reason === undefined ? null : { reason, evidence: { ...evidence, supplierProductId } };
    }
  }
  return wanted;
}

/**
 * Makes a draft without a quote ready to buy, be it asked for by hand or planned for another address: each article
 * resolved to one variant, all of them quoted.
 * Says `supplier_order.prepared`, or why a person has to look. Buys nothing.
 */
export async function prepare(
  ports: PurchasePorts,
  adapter: PatientAdapter,
  facts: PurchaseFacts,
  commandId: string,
): Promise<CommandResult> {
  const { settings, log } = ports;
  const { row, recipient, shipToMark } = facts;
  const hold = async (why: Withholding): Promise<CommandResult> => {
    await commitAndPublish(ports.store, ports.bus, async (sql, say) => {
      // Why for what it held before a person changed it meanwhile: that has been asked for anew, and nothing would release it.
      const now = await lockPurchase(sql, row.id);
      if (now?.state === row.state && now.edits === row.edits) say(withheld(row, commandId, 0, why));
    });
    return DONE;
  };
  if (recipient === undefined) return hold(NO_ADDRESS);
  const wanted = await wantedOf(ports, adapter, facts, recipient);
  if (wanted === null) return DONE;
  if ('reason' in wanted) return hold(wanted);
  const judged = await judgedAnew(ports.store, facts, settings);
  if (judged !== null && judged.closed !== null) return hold(judged.closed);
  const answer = await planSourcing(ports, {
    lines: wanted,
    destination: recipient,
    recipient: judged?.recipient ?? null,
    sale: null,
    acceptances: judged?.acceptances ?? [],
    isPartly: false,
  });
  if (answer.result === 'ask_again') {
    const { evidence } = answer.failure;
    log.warn({ supplierOrderId: row.id, evidence }, 'a quote failed, it will be asked again');
    return DONE;
  }
  const { plan } = answer;
  const [refused] = plan.refused;
  if (refused !== undefined) return hold(refused);
  const [part, ...others] = plan.parts;
  if (part === undefined || others.length > 0) {
    const cause = 'these articles cannot be bought together: ask for one purchase each';
    return hold({ reason: 'not_shippable', evidence: { supplier: row.supplier, cause } });
  }
  if (row.shippingMethod !== '' && !isSameMethod(part.shippingMethod, row.shippingMethod)) {
    const cause = `the supplier does not offer ${row.shippingMethod} for it`;
    return hold({ reason: 'not_shippable', evidence: { offered: part.shippingMethod, cause } });
  }
  const stop = judged?.stop(part) ?? null;
  if (stop !== null) return hold(stop);
  await sayToOrder(
    ports,
    outcome(row, SUPPLIER_ORDER_PREPARED, `prepared:${commandId}`, 0, {
      part: { ...part, ...(shipToMark === undefined ? {} : { quotedFor: shipToMark }) },
      edits: row.edits,
    }),
  );
  return DONE;
}
