import type { Evidence, HoldReason, SupplierName } from '../../contracts/vocabulary.ts';
import type { Sql } from '../store/store.ts';
import type { Deed } from './ledger.ts';

export interface Caps {
  readonly perOrderMinor: number | undefined;
  readonly perDayMinor: number | undefined;
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

/** What was spent today, by supplier, and what of it is in rows of the expenses themselves, which will be replaced. */
export class Spending {
  readonly #spent = new Map<SupplierName, number>();
  readonly #own = new Map<string, number>();

  learn({ supplier, spentMinor, own }: Spent): void {
    this.#spent.set(supplier, spentMinor);
    for (const [supplierOrderId, costMinor] of Object.entries(own)) this.#own.set(supplierOrderId, costMinor);
  }

  /** Without the purchase's own earlier attempt. */
  before({ supplier, supplierOrderId }: Expense): number {
    return (this.#spent.get(supplier) ?? 0) - (this.#own.get(supplierOrderId) ?? 0);
  }

  /** What the round spends counts against those that come after in it. */
  add(expense: Expense): void {
    if (expense.deed !== 'create') return;
    this.#spent.set(expense.supplier, this.before(expense) + expense.costMinor);
    this.#own.set(expense.supplierOrderId, expense.costMinor);
  }
}

interface Spent {
  readonly supplier: SupplierName;
  readonly spentMinor: number;
  readonly own: Readonly<Record<string, number>>;
}

/** Locks the day's money of the suppliers that have a cap: two rounds at once must not both find the last of it. */
export async function holdSpending(sql: Sql, expenses: readonly Expense[]): Promise<Spending> {
  const spending = new Spending();
  const capped = expenses.filter(({ caps }) => caps.perDayMinor !== undefined);
  if (capped.length === 0) return spending;
  const suppliers = [...new Set(capped.map(({ supplier }) => supplier))].sort();
  await sql.query('select pg_advisory_xact_lock(hashtext(key)) from unnest($1::text[]) as key', [
    suppliers.map((supplier) => `spending:${supplier}`),
  ]);
  const rows = await sql.query<Spent>(
    `select supplier, sum(expected_cost_minor)::float8 as "spentMinor",
            coalesce(json_object_agg(supplier_order_id, expected_cost_minor)
                       filter (where supplier_order_id = any($2::text[])), '{}') as own
       from purchase_intents where supplier = any($1::text[]) and ${COUNTED} group by supplier`,
    [suppliers, expenses.map(({ supplierOrderId }) => supplierOrderId)],
  );
  for (const row of rows) spending.learn(row);
  return spending;
}

export function capProblem(
  expense: Expense,
  spending: Spending,
): { reason: HoldReason; evidence: Evidence } | null {
  const { costMinor, currency, caps } = expense;
  if (caps.perOrderMinor !== undefined && costMinor > caps.perOrderMinor) {
    return { reason: 'cost_above_cap', evidence: { costMinor, capMinor: caps.perOrderMinor, currency } };
  }
  if (caps.perDayMinor === undefined) return null;
  const spentMinor = spending.before(expense);
  if (spentMinor + costMinor <= caps.perDayMinor) return null;
  return {
    reason: 'daily_cap_reached',
    evidence: { costMinor, spentMinor, capMinor: caps.perDayMinor, currency },
  };
}
