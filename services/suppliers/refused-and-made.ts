import type { OutboxRow } from '../store/outbox.ts';
import type { FoundOrder } from './adapter.ts';
import { type PurchasePorts, withheld } from './purchase-ports.ts';
import type { PurchaseRow } from './purchase-row.ts';

export const REFUSED_AND_MADE =
  'refused, and the supplier has an order of these articles all the same: give up that one, or what is bought in its place';

/** Has a person look at the orders that a purchase has at its supplier, which refused it. */
export function refusedAndMade(
  log: PurchasePorts['log'],
  row: PurchaseRow,
  attempt: number,
  living: readonly FoundOrder[],
): OutboxRow {
  const references = living.map(({ supplierReference }) => supplierReference).join(' ');
  log.error({ supplierOrderId: row.id, references }, 'a purchase was refused and made all the same');
  const evidence = { references, cause: REFUSED_AND_MADE };
  return withheld(row, `second:${references}`, attempt, { reason: 'duplicate_suspected', evidence });
}
