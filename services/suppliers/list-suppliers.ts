import type { SupplierList, SupplierView } from '../../contracts/resources/supplier.ts';
import { missingVariables, purchaseMode } from '../../contracts/supplier-variables.ts';
import { SUPPLIERS, type SupplierName } from '../../contracts/vocabulary.ts';
import type { BreakerState } from '../outside-call.ts';
import { readPauses } from '../purchasing-switch.ts';
import type { Sql } from '../store/store.ts';
import { modeMeaning, type PurchasePorts } from './purchase-ports.ts';
import { REGISTRY } from './registry.ts';

/** Fewer parcels say more about luck than about the supplier. */
const ENOUGH_PARCELS = 10;
const LATEST_PARCELS = 500;
/** Where those of each supplier are looked for: among the latest of all. */
const AMONG_PARCELS = 5_000;

interface Account {
  supplier: SupplierName;
  tokenExpiresAt: string | null;
  pausedUntil: Date | null;
  budgetPausedUntil: Date | null;
  quotaRemaining: number | null;
  quotaTotal: number | null;
  balanceMinor: number | null;
  balanceCurrency: string | null;
  lastSuccessAt: Date | null;
  lastFailureAt: Date | null;
  lastFailureClass: string | null;
}

const readAccounts = (sql: Sql): Promise<Account[]> =>
  sql.query<Account>(
    `select supplier, access_expires_at as "tokenExpiresAt",
            case when paused_until > now() then paused_until end as "pausedUntil",
            case when budget_paused_until > now() then budget_paused_until end as "budgetPausedUntil",
            quota_remaining as "quotaRemaining", quota_total as "quotaTotal",
            balance_minor::float8 as "balanceMinor", balance_currency as "balanceCurrency",
            last_success_at as "lastSuccessAt", last_failure_at as "lastFailureAt",
            last_failure_class as "lastFailureClass"
       from supplier_accounts`,
  );

/** From the purchase to the door, of the latest parcels that arrived: the middle four fifths of them. */
const readDeliveries = (
  sql: Sql,
): Promise<{ supplier: string; min: number; max: number; parcels: number }[]> =>
  sql.query(
    `select supplier, count(*)::int as parcels,
            floor(percentile_cont(0.1) within group (order by days))::int as min,
            ceil(percentile_cont(0.9) within group (order by days))::int as max
       from (select o.supplier, extract(epoch from p.entered_at - o.created_at) / 86400 as days,
                    row_number() over (partition by o.supplier order by p.entered_at desc) as latest
               from (select supplier_order_id, entered_at from parcels
                      where state = 'delivered' order by entered_at desc limit ${AMONG_PARCELS}) p
               join supplier_orders o on o.id = p.supplier_order_id) d
      where latest <= $1 group by supplier`,
    [LATEST_PARCELS],
  );

const WORSE: readonly BreakerState[] = ['closed', 'half_open', 'open'];

/** Of the copies that reported lately. */
const readBreakers = (sql: Sql): Promise<{ supplier: string; state: BreakerState }[]> =>
  sql.query("select supplier, state from supplier_breakers where seen_at > now() - interval '30 seconds'");

const instant = (at: Date | null): string | null => (at === null ? null : new Date(at).toISOString());

/** Every known supplier, configured or not: how it stands with it, and how it compares. Calls no supplier. */
export async function listSuppliers(ports: PurchasePorts): Promise<SupplierList> {
  const { store, settings } = ports;
  const accounts = new Map((await readAccounts(store)).map((account) => [account.supplier, account]));
  const deliveries = new Map((await readDeliveries(store)).map((row) => [row.supplier, row]));
  const [breakers, pauses] = [await readBreakers(store), await readPauses(store)];

  const view = (name: SupplierName): SupplierView => {
    const adapter = ports.adapterOf(name);
    const account = accounts.get(name);
    const measured = deliveries.get(name);
    const { label, comparison, deliveryDays } = REGISTRY[name].profile;
    const mode = purchaseMode(settings, name);
    const states = breakers.flatMap(({ supplier, state }) => (supplier === name ? [state] : []));
    const worst = [...states, ...(adapter === undefined ? [] : [adapter.breakerState()])].sort(
      (a, b) => WORSE.indexOf(b) - WORSE.indexOf(a),
    )[0];
    const { lastFailureAt, lastFailureClass, balanceMinor, balanceCurrency, quotaRemaining } = account ?? {};
    return {
      name,
      label,
      configured: adapter !== undefined,
      missing: missingVariables(settings, name),
      mode,
      modeMeaning: modeMeaning(mode, adapter?.capabilities.payment),
      purchasingPauses: pauses.filter(({ scope }) => scope === 'all' || scope === name),
      callsPausedUntil: instant(account?.pausedUntil ?? null),
      budgetPausedUntil: instant(account?.budgetPausedUntil ?? null),
      breaker: adapter === undefined ? null : (worst ?? null),
      tokenExpiresAt: account?.tokenExpiresAt ?? null,
      quota:
        quotaRemaining == null ? null : { remaining: quotaRemaining, total: account?.quotaTotal ?? null },
      balance:
        balanceMinor == null || balanceCurrency == null
          ? null
          : { amountMinor: balanceMinor, currency: balanceCurrency },
      lastSuccessAt: instant(account?.lastSuccessAt ?? null),
      lastFailure:
        lastFailureAt == null || lastFailureClass == null
          ? null
          : { at: new Date(lastFailureAt).toISOString(), failureClass: lastFailureClass },
      capabilities: adapter?.capabilities ?? null,
      comparison: {
        ...comparison,
        internationalWarehouses: adapter?.capabilities.hasWarehouses ?? comparison.internationalWarehouses,
        deliveryDays:
          measured === undefined || measured.parcels < ENOUGH_PARCELS
            ? { ...deliveryDays, source: 'guide', parcels: measured?.parcels ?? 0 }
            : { min: measured.min, max: measured.max, source: 'measured', parcels: measured.parcels },
      },
    };
  };
  return { items: SUPPLIERS.map(view) };
}
