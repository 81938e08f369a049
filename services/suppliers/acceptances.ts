import type { Evidence, HoldReason } from '../../contracts/vocabulary.ts';
import type { Sql } from '../store/store.ts';

/** A hold that a person released with "go on with this", and the facts that they saw. */
export interface Acceptance {
  readonly reason: HoldReason;
  readonly lineId: string | null;
  readonly supplierOrderId: string | null;
  readonly evidence: Evidence;
}

/** SQL for what of the holds of `orders o` was accepted and not opened anew since: a JSON array of `Acceptance`. */
export const ACCEPTANCES = `(select coalesce(json_agg(json_build_object('reason', h.reason, 'lineId', h.line_id,
         'supplierOrderId', h.supplier_order_id, 'evidence', h.evidence)), '[]')
    from json_array_elements_text(o.context -> 'accepted') as accepted (hold_id)
    join holds h on h.id = accepted.hold_id where h.released_at is not null)`;

export const readAcceptances = async (sql: Sql, orderId: string): Promise<readonly Acceptance[]> =>
  (await readAcceptancesOf(sql, [orderId])).get(orderId) ?? [];

/** By order. */
export async function readAcceptancesOf(
  sql: Sql,
  orderIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Acceptance[]>> {
  const rows = await sql.query<{ readonly id: string; readonly acceptances: readonly Acceptance[] }>(
    `select o.id, ${ACCEPTANCES} as acceptances from orders o where o.id = any($1::text[])`,
    [orderIds],
  );
  return new Map(rows.map(({ id, acceptances }) => [id, acceptances]));
}

const costIn = ({ costMinor, amountMinor }: Evidence): number => Number(costMinor ?? amountMinor ?? 0);
const marginIn = ({ marginPercent }: Evidence): number =>
  typeof marginPercent === 'number' ? marginPercent : Number.NEGATIVE_INFINITY;
/** Facts that must be the same ones. */
const NAMES = ['supplier', 'fields', 'currency', 'cause'] as const;

const isNoWorse = (accepted: Evidence, now: Evidence): boolean =>
  NAMES.every((name) => accepted[name] === now[name]) &&
  costIn(now) <= costIn(accepted) &&
  marginIn(now) >= marginIn(accepted);

/** Whether a person has accepted this already: the same judgement, on facts that were no better than now. */
export const isAccepted = (
  acceptances: readonly Acceptance[],
  {
    reason,
    lineId = null,
    supplierOrderId = null,
  }: { reason: HoldReason } & Partial<Record<'lineId' | 'supplierOrderId', string | null>>,
  now: Evidence,
): boolean =>
  acceptances.some(
    (accepted) =>
      accepted.reason === reason &&
      accepted.lineId === lineId &&
      accepted.supplierOrderId === supplierOrderId &&
      isNoWorse(accepted.evidence, now),
  );
