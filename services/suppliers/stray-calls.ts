import type { SupplierName } from '../../contracts/vocabulary.ts';
import type { Sql } from '../store/store.ts';
import type { FoundOrder } from './adapter.ts';
import type { StrayCall } from './match-strays.ts';
import { EARLIER_MS } from './possible-since.ts';
import { articlesKey } from './same-articles.ts';

/** A supplier may take its time, and clocks differ: this much after the deadline of the call. */
export const LATER_MS = 600_000;
/** A push that old says nothing about a purchase of now. */
export const FORGOTTEN_DAYS = 3;

const CALLS = `from supplier_orders o join purchase_intents i on i.supplier_order_id = o.id and i.kind = 'create'
  where i.supplier = $1`;
const LATELY = `i.updated_at > now() - interval '${FORGOTTEN_DAYS} days'`;
const OPEN = `(i.state in ('calling', 'unknown') or (i.state = 'done' and i.repeats > 0 and ${LATELY}))`;
const REFUSED = `i.state = 'refused' and ${LATELY}`;
const STATE = `case when i.state = 'refused' then 'refused' when i.state = 'done' then 'repeated'
  when o.state = 'outcome_unknown' and (i.state = 'unknown' or i.call_deadline < now()) then 'in_doubt'
  else 'under_way' end`;

/** SQL conditions, with the supplier as $1. */
export const SOME_TO_SETTLE = `exists (select 1 ${CALLS} and ${OPEN} and ${STATE} <> 'under_way')`;
export const SOME_REFUSED = `exists (select 1 ${CALLS} and ${REFUSED})`;

/** Purchase calls that an order which nobody here has may come from; those that were refused lately are among them. */
export async function readCalls(sql: Sql, supplier: SupplierName): Promise<StrayCall[]> {
  const rows = await sql.query<
    Pick<StrayCall, 'id' | 'attempt' | 'state' | 'isSuspected'> & {
      begunAt: Date;
      deadline: Date;
      lines: FoundOrder['articles'];
    }
  >(
    `select o.id, i.attempt, i.created_at as "begunAt", i.call_deadline as deadline, ${STATE} as state,
            exists (select 1 from holds h where h.order_id = o.order_id and h.supplier_order_id = o.id
                       and h.reason = 'duplicate_suspected' and h.released_at is null) as "isSuspected",
            (select coalesce(json_agg(json_build_object('supplierVariantId', l.supplier_variant_id,
                      'units', l.supplier_units)), '[]')
               from supplier_order_lines l where l.supplier_order_id = o.id) as lines
       ${CALLS} and (${OPEN} or (${REFUSED})) order by o.id`,
    [supplier],
  );
  return rows.map(({ begunAt, deadline, lines, ...call }) => ({
    ...call,
    fromMs: new Date(begunAt).getTime() - EARLIER_MS,
    toMs: new Date(deadline).getTime() + LATER_MS,
    articles: articlesKey(lines),
  }));
}
