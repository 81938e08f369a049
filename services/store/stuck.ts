import { NO_SHOP } from '../../contracts/events/order-received.ts';
import type { StuckReason } from '../../contracts/resources/stuck.ts';
import type { Settings } from '../../contracts/settings.ts';
import { ENDED_ORDERS, ENDED_PARCELS, ENDED_SUPPLIER_ORDERS } from '../../contracts/vocabulary.ts';
import { WAITING_KINDS, type WaitingKind, waitsOf } from '../../contracts/waits.ts';
import { literals } from './rows.ts';
import type { Sql } from './store.ts';

export interface StuckRow {
  readonly kind: WaitingKind;
  readonly id: string;
  readonly state: string;
  readonly orderId: string | null;
  readonly since: Date;
  readonly deadlineAt: Date;
  readonly reason: StuckReason;
}

/** After it in the list: what has waited less long. */
export interface StuckPlace {
  readonly since: Date;
  readonly key: string;
}

/** When the first timer of the kind was due, before it was repeated each quarter of an hour. @param whose of the row. */
const dueOf = (whose: string): string => `left join lateral (
    select min(t.due_at - t.attempt * interval '15 minutes') as due from timers t
     where ${whose} and t.deadline = any(string_to_array(w.timers, ','))) t on true`;

/** What an order waits for is waited for by its purchases, some of them longer: by a long quote, or a release. */
const DUE_OF_PURCHASES = `(select max(d.due_at) from timers d
     where d.order_id = o.id and d.supplier_order_id is not null and d.deadline in ('ship', 'deliver'))`;

/** A row may wait until its state's time is over, or until its timer is due, whichever is later. */
const judged = (since: string, wantsTimer: boolean, due = 't.due'): string => `
  ${since} as since, greatest(${since} + w.within, ${due}) as deadline_at,
  case when greatest(${since} + w.within, ${due}) < now() - $2::float8 * interval '1 second' then 'overdue'
       when t.due < now() - $2::float8 * interval '1 second' then 'timer_late'
       ${wantsTimer ? "when t.due is null and w.timers <> '' then 'no_timer'" : ''} end as reason`;

/** Old enough to be looked at: what has just been entered may be waiting for a message on its way. */
const isSettled = (since: string): string => `${since} < now() - $2::float8 * interval '1 second'`;
const isOver = (from: string): string => `${from} < now() - w.within - $2::float8 * interval '1 second'`;
/** Without a timer only its age counts, and none needs to be looked for. */
const mayBeLate = (since: string): string => `${isSettled(since)} and (w.timers <> '' or ${isOver(since)})`;

/** Waits without timers, counted from one moment. */
const aged = (since: string, from = since): string =>
  `${since} as since, ${from} + w.within as deadline_at, 'overdue' as reason`;

/** The order may be bought in part: the hold of a line or of a purchase stops nothing else. */
const isInPart = (orderId: string): string =>
  `coalesce((select (w.context -> 'rules' ->> 'partialPurchase')::boolean from orders w where w.id = ${orderId}), false)`;

/** When a mail should have gone out: with each try its next one is further away, and it waits since before the first. */
const MAIL_DUE = "case when n.state = 'pending' and n.attempt > 0 then n.created_at else n.next_try_at end";

/**
 * By kind, with `w` as the waits of that kind. What a person holds waits for that person: the hold stands for it. Each
 * runs along a partial index of what has not ended.
 */
const BRANCHES: Readonly<Record<WaitingKind, string>> = {
  order: `select o.id, o.id as order_id, ${judged('o.entered_at', true, `t.due, ${DUE_OF_PURCHASES}`)}
    from orders o ${dueOf('t.order_id = o.id and t.supplier_order_id is null')}
   where o.state = w.state and o.state not in (${literals(ENDED_ORDERS)}) and ${mayBeLate('o.entered_at')}
     and o.context->>'test' is distinct from 'true'
     and not exists (select 1 from holds h where h.order_id = o.id and h.released_at is null
                        and (h.reason <> 'payment_pending' or h.supplier_order_id is not null))`,
  supplier_order: `select s.id, s.order_id, ${judged('s.entered_at', true)}
    from supplier_orders s
         ${dueOf('t.order_id = s.order_id and t.supplier_order_id = s.id and t.parcel_id is null')}
   where s.state = w.state and s.state not in (${literals(ENDED_SUPPLIER_ORDERS)}) and ${mayBeLate('s.entered_at')}
     and not exists (select 1 from holds h where h.order_id = s.order_id and h.released_at is null
                        and (h.supplier_order_id = s.id or s.state in ('draft', 'awaiting_payment')
                               and (coalesce(h.line_id, h.supplier_order_id) is null or not ${isInPart('s.order_id')})))`,
  parcel: `select p.id, p.order_id, ${judged('p.entered_at', false)}
    from parcels p join supplier_orders s on s.id = p.supplier_order_id
         ${dueOf('t.order_id = p.order_id and t.parcel_id = p.id')}
   where p.state = w.state and p.state not in (${literals(ENDED_PARCELS)}) and ${mayBeLate('p.entered_at')}
     and s.state not in (${literals(ENDED_SUPPLIER_ORDERS)})
     and not exists (select 1 from holds h where h.order_id = p.order_id and h.released_at is null
                        and h.supplier_order_id = p.supplier_order_id)`,
  fulfillment: `select p.id, p.order_id, ${judged('p.left_at', true)}
    from parcels p join orders o on o.id = p.order_id and o.shop <> '${NO_SHOP}'
         ${dueOf('t.order_id = p.order_id and t.parcel_id = p.id')}
   where p.left_at is not null and coalesce(p.fulfillment_state, '') not in ('done', 'withheld')
     and ${isSettled('p.left_at')}
     and not exists (select 1 from holds h where h.order_id = p.order_id and h.released_at is null
                        and h.supplier_order_id = p.supplier_order_id)`,
  hold: `select h.id, h.order_id, ${aged('h.opened_at')} from holds h
   where h.released_at is null and (h.reason <> 'payment_pending' or h.supplier_order_id is not null)
     and ${isOver('h.opened_at')}`,
  // The operator's own mails tell of themselves by being missed; a week after it, nobody looks for a customer's.
  mail: `select n.id, n.order_id, ${aged('n.created_at', MAIL_DUE)} from notifications n
   where n.state = w.state and n.state in ('pending', 'sending') and ${isOver(MAIL_DUE)}
   union all
  select n.id, n.order_id, ${aged('n.created_at')} from notifications n
   where n.state = w.state and n.state in ('failed', 'doubt') and n.about is null
     and n.created_at > now() - interval '7 days' and ${isOver('n.created_at')}`,
  message: `select m.id::text, substring(m.subject from '^oms[.]evt[.].*[.]([^.]+)$') as order_id, ${aged('p.created_at')}
    from outbox_pending p cross join unnest(p.ids) as one (id) join outbox m on m.id = one.id
   where ${isOver('p.created_at')}`,
  dead_letter: `select d.id::text, d.order_id, ${aged('d.opened_at')} from dead_letters d
   where d.state = 'open' and d.kind = w.state and ${isOver('d.opened_at')}`,
};

const statementOf = (kinds: readonly WaitingKind[]): string =>
  kinds
    .map(
      (
        kind,
      ) => `select w.kind, x.id, w.state, x.order_id as "orderId", x.since, x.deadline_at as "deadlineAt", x.reason
         from w cross join lateral (${BRANCHES[kind]}) x where w.kind = '${kind}' and x.reason is not null`,
    )
    .join('\nunion all\n');

const waits = (settings: Settings, kinds: readonly WaitingKind[]): string =>
  JSON.stringify(
    kinds.flatMap((kind) =>
      waitsOf(kind).map(([state, { timers, withinMs }]) => ({
        kind,
        state,
        within_ms: withinMs(settings),
        timers: timers.join(','),
      })),
    ),
  );

const W = `with w as materialized (
  select kind, state, within_ms * interval '1 millisecond' as within, timers
    from json_to_recordset($1::json) as d(kind text, state text, within_ms float8, timers text))`;

/** What is over its deadline by more than the tolerance, longest first. */
export function readStuck(
  sql: Sql,
  settings: Settings,
  query: {
    readonly toleranceSeconds: number;
    readonly limit: number;
    readonly kind?: WaitingKind | undefined;
    readonly after?: StuckPlace | undefined;
  },
): Promise<StuckRow[]> {
  const { toleranceSeconds, limit, kind, after } = query;
  const kinds = kind === undefined ? WAITING_KINDS : [kind];
  return sql.query<StuckRow>(
    `${W} select * from (${statementOf(kinds)}) stuck
      where $3::timestamptz is null or since > $3 or (since = $3 and kind || '_' || id > $4::text)
      order by since, kind || '_' || id limit $5`,
    [waits(settings, kinds), toleranceSeconds, after?.since.toISOString() ?? null, after?.key ?? null, limit],
  );
}

export const countStuck = (
  sql: Sql,
  settings: Settings,
  toleranceSeconds: number,
): Promise<{ kind: WaitingKind; stuck: number }[]> =>
  sql.query(
    `${W} select kind, count(*)::float8 as stuck from (${statementOf(WAITING_KINDS)}) stuck group by kind`,
    [waits(settings, WAITING_KINDS), toleranceSeconds],
  );
