import { convertMinor, type ExchangeRates } from '../../contracts/exchange-rates.ts';
import type { Evidence, HoldReason, SupplierName } from '../../contracts/vocabulary.ts';
import type { Sql } from '../store/store.ts';
import type { Deed } from './ledger.ts';

/** In US cents; what is bought in another currency counts by its rate. */
export interface Caps {
  readonly perOrderMinor: number | undefined;
  readonly perDayMinor: number | undefined;
  readonly rates: ExchangeRates;
}

/** What a purchase or a payment would cost, and what it may. */
export interface Expense {
  readonly supplierOrderId: string;
  readonly supplier: SupplierName;
  readonly deed: Deed;
  /** What the supplier will take for it, as far as we know before the call. */
  readonly costMinor: number;
  readonly currency: string;
  readonly caps: Caps;
}

const COUNTED = `kind = 'create' and state <> 'refused' and created_at >= date_trunc('day', now(), 'UTC')`;

const inUsd = (amountMinor: number, currency: string, { rates }: Caps): number | null =>
  convertMinor(amountMinor, currency, 'USD', rates);

/**
 * What was spent today in US cents, by supplier, and what of it is in rows of the expenses themselves, which will be
 * replaced.
 */
export class Spending {
  readonly #spent = new Map<SupplierName, number>();
  readonly #own = new Map<string, number>();
  readonly #unrated = new Map<SupplierName, string>();

  learn({ supplier, currency, spentMinor, own }: Spent, caps: Caps): void {
    const spent = inUsd(spentMinor, currency, caps);
    if (spent === null) {
      this.#unrated.set(supplier, currency);
      return;
    }
    this.#spent.set(supplier, (this.#spent.get(supplier) ?? 0) + spent);
    for (const [supplierOrderId, costMinor] of Object.entries(own))
      this.#own.set(supplierOrderId, inUsd(costMinor, currency, caps) ?? 0);
  }

  /** Without the purchase's own earlier attempt. */
  before({ supplier, supplierOrderId }: Expense): number {
    return (this.#spent.get(supplier) ?? 0) - (this.#own.get(supplierOrderId) ?? 0);
  }

  /** A currency without a rate in which something was bought there today: then nobody can tell what was spent. */
  unrated({ supplier }: Expense): string | undefined {
    return this.#unrated.get(supplier);
  }

  /** What the round spends counts against those that come after in it. */
  add(expense: Expense): void {
    if (expense.deed !== 'create') return;
    const { supplier, supplierOrderId, costMinor, currency, caps } = expense;
    const cost = inUsd(costMinor, currency, caps);
    if (cost === null) {
      this.#unrated.set(supplier, currency);
      return;
    }
    this.#spent.set(supplier, this.before(expense) + cost);
    this.#own.set(supplierOrderId, cost);
  }
}

/** Of one supplier in one currency. */
interface Spent {
  readonly supplier: SupplierName;
  readonly currency: string;
  readonly spentMinor: number;
  readonly own: Readonly<Record<string, number>>;
}

/** Locks the day's money of the suppliers that have a cap: two rounds at once must not both find the last of it. */
export async function holdSpending(sql: Sql, expenses: readonly Expense[]): Promise<Spending> {
  const spending = new Spending();
  const capped = expenses.filter(({ caps }) => caps.perDayMinor !== undefined);
  const [first] = capped;
  if (first === undefined) return spending;
  const suppliers = [...new Set(capped.map(({ supplier }) => supplier))].sort();
  await sql.query('select pg_advisory_xact_lock(hashtext(key)) from unnest($1::text[]) as key', [
    suppliers.map((supplier) => `spending:${supplier}`),
  ]);
  const rows = await sql.query<Spent>(
    `select supplier, currency, sum(expected_cost_minor)::float8 as "spentMinor",
            coalesce(json_object_agg(supplier_order_id, expected_cost_minor)
                       filter (where supplier_order_id = any($2::text[])), '{}') as own
       from purchase_intents where supplier = any($1::text[]) and ${COUNTED} group by supplier, currency`,
    [suppliers, expenses.map(({ supplierOrderId }) => supplierOrderId)],
  );
  for (const row of rows) spending.learn(row, first.caps);
  return spending;
}

/** Why the expense is above a cap, or cannot be compared with it for want of a rate; null when it may be made. */
export function capProblem(
  expense: Expense,
  spending: Spending,
): { reason: HoldReason; evidence: Evidence } | null {
  const { costMinor, currency, caps } = expense;
  const { perOrderMinor, perDayMinor } = caps;
  const cost = inUsd(costMinor, currency, caps);
  const about = currency === 'USD' ? { costMinor, currency } : { costMinor, currency, capCurrency: 'USD' };
  const without = (unrated: string): Evidence => ({
    ...about,
    missing: `rate of ${unrated} in ORDER_MANAGER_EXCHANGE_RATES`,
  });
  if (perOrderMinor !== undefined && (cost === null || cost > perOrderMinor)) {
    const evidence = { ...(cost === null ? without(currency) : about), capMinor: perOrderMinor };
    return { reason: 'cost_above_cap', evidence };
  }
  if (perDayMinor === undefined) return null;
  const spentMinor = spending.before(expense);
  const unrated = cost === null ? currency : spending.unrated(expense);
  if (cost !== null && unrated === undefined && spentMinor + cost <= perDayMinor) return null;
  const evidence = {
    ...(unrated === undefined ? about : without(unrated)),
    spentMinor,
    capMinor: perDayMinor,
  };
  return { reason: 'daily_cap_reached', evidence };
}
