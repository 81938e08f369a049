import type { SupplierName } from '../../contracts/vocabulary.ts';
import { type Acceptance, isAccepted } from './acceptances.ts';
import type { Recipient, RecipientCheck } from './adapter.ts';
import type { SourcingPorts } from './quote-desk.ts';
import type { Refusal } from './refusal.ts';

export interface Preflight {
  /** What of the recipient keeps a supplier from delivering this line: names of fields, never their text. */
  problems(supplier: SupplierName, lineId: string): Refusal[];
  /** What would be sent instead; a person's data, for whoever may see the order. */
  repairs(supplier: SupplierName): RecipientCheck['repairs'];
}

/** Checks the recipient by each supplier's own rules. Without a recipient there is nothing to check. */
export function createPreflight(
  { adapterOf }: SourcingPorts,
  recipient: Recipient | null,
  acceptances: readonly Acceptance[],
): Preflight {
  const checks = new Map<SupplierName, RecipientCheck | null>();
  const checkOf = (supplier: SupplierName): RecipientCheck | null => {
    const known = checks.get(supplier);
    if (known !== undefined) return known;
    const check = recipient === null ? null : (adapterOf(supplier)?.checkRecipient(recipient) ?? null);
    checks.set(supplier, check);
    return check;
  };
  return {
    problems(supplier, lineId) {
      const byReason = Map.groupBy(checkOf(supplier)?.problems ?? [], ({ reason }) => reason);
      return [...byReason].flatMap(([reason, problems]) => {
        const evidence = {
          supplier,
          fields: problems.map(({ field }) => field).join(', '),
          problem: problems.map(({ problem }) => problem).join('; '),
        };
        return isAccepted(acceptances, { reason, lineId }, evidence) ? [] : [{ reason, evidence }];
      });
    },
    repairs: (supplier) => checkOf(supplier)?.repairs ?? [],
  };
}
