import type { Evidence, SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import { DEAD } from '../../machines/hold-scope.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import type { ServiceContext } from '../run-service.ts';
import type { OutboxRow } from '../store/outbox.ts';
import { literals, updateRows } from '../store/rows.ts';
import type { Sql } from '../store/store.ts';
import { released, withheld } from './purchase-ports.ts';

/** While it is being bought its amount is compared before it is paid, and while it is given up a hold would stop that. */
const SOLD: readonly SupplierOrderStateName[] = [
  'accepted',
  'processing',
  'partially_shipped',
  'shipped',
  'delivered',
];

/** A hold may be raised that late, from a message that waited behind an outage or a dead letter. */
const WATCHED_DAYS = 7;

interface DueBill {
  readonly supplierOrderId: string;
  readonly orderId: string;
  readonly state: SupplierOrderStateName;
  readonly billId: string;
  readonly isOpen: boolean;
  /** When the purchase's hold for bills was opened, in milliseconds; null: none stands. */
  readonly heldSince: string | null;
  /** The bills that it names. */
  readonly named: string | null;
  readonly isOver: boolean;
}

/** Those that have something to say now, or nothing any more. Other copies leave them alone meanwhile. */
const lockDue = (sql: Sql): Promise<DueBill[]> =>
  sql.query<DueBill>(
    `select b.supplier_order_id as "supplierOrderId", o.order_id as "orderId", o.state, b.bill_id as "billId",
            b.is_open as "isOpen", (extract(epoch from h.opened_at) * 1000)::bigint::text as "heldSince",
            h.evidence ->> 'billId' as named,
            b.changed_at < now() - interval '${WATCHED_DAYS} days' as "isOver"
       from supplier_bills b
       join supplier_orders o on o.id = b.supplier_order_id
       left join holds h on h.order_id = o.order_id and h.supplier_order_id = o.id and h.reason = 'payment_pending'
                        and h.released_at is null and h.evidence ->> 'billId' is not null
      where b.is_pending
        and case when b.is_open then o.state in (${literals([...SOLD, ...DEAD])})
                 else h.id is not null or b.changed_at < now() - interval '${WATCHED_DAYS} days' end
      order by b.supplier_order_id, b.bill_id for update of b skip locked`,
  );

interface OpenBill {
  readonly supplierOrderId: string;
  readonly billId: string;
  readonly amountMinor: number | null;
  readonly currency: string;
}

const readOpen = (sql: Sql, supplierOrderIds: readonly string[]): Promise<OpenBill[]> =>
  sql.query<OpenBill>(
    `select supplier_order_id as "supplierOrderId", bill_id as "billId", amount_minor::float8 as "amountMinor", currency
       from supplier_bills where supplier_order_id = any($1::text[]) and is_open order by bill_id`,
    [supplierOrderIds],
  );

/** A sum that leaves something out would be taken for all of it. */
function sumOf(bills: readonly OpenBill[]): number | null {
  const [first] = bills;
  let sum = 0;
  for (const { amountMinor, currency } of bills) {
    if (amountMinor === null || currency !== first?.currency) return null;
    sum += amountMinor;
  }
  return sum;
}

const evidenceOf = (bills: readonly OpenBill[]): Evidence => ({
  billId: bills.map(({ billId }) => billId).join(', '),
  amountMinor: sumOf(bills),
  currency: bills[0]?.currency ?? null,
  cause: 'the supplier wants more money for it: see to the bill on its site',
});

/** What a purchase's bills have to say to its order; undefined: nothing. */
function wordOf(due: readonly DueBill[], open: readonly OpenBill[] = []): OutboxRow | undefined {
  const [first] = due;
  if (first === undefined) return undefined;
  const { supplierOrderId: id, orderId, state, heldSince, named } = first;
  const row = { id, orderId };
  const evidence = evidenceOf(open);
  const isSold = SOLD.includes(state);
  const unheard = due.find(({ isOpen }) => isOpen);
  if (unheard !== undefined && isSold)
    return withheld(row, `bill:${unheard.billId}`, 0, { reason: 'payment_pending', evidence });
  // What a person has released stays released: only a hold that stands is renewed.
  if (heldSince === null) return undefined;
  // The same of the same opening is the same message, whichever copy says it.
  if (open.length === 0) return released(row, 'payment_pending', `bills:${heldSince}`);
  const isRenewed = isSold && named !== evidence.billId;
  return isRenewed
    ? withheld(row, `bills:${heldSince}`, 0, { reason: 'payment_pending', evidence })
    : undefined;
}

/**
 * Brings the bills of purchases and the holds for them together, whatever came first: a round. An open bill holds its
 * purchase once that is bought; the hold names all that are open, and goes when none is. What a person released is
 * raised again by another bill only.
 */
export function billRounds({ store, bus }: ServiceContext): () => Promise<'idle'> {
  /** What is committed is promised: an order that takes its time, or waits behind a dead letter, is not told again. */
  let told: ReadonlySet<string> = new Set();
  return async () => {
    const [pending] = await store.query('select 1 from supplier_bills where is_pending limit 1');
    if (pending === undefined) return 'idle';
    told = await commitAndPublish(store, bus, async (sql, say) => {
      const due = await lockDue(sql);
      const dueOf = Map.groupBy(due, ({ supplierOrderId }) => supplierOrderId);
      const openOf = Map.groupBy(await readOpen(sql, [...dueOf.keys()]), (bill) => bill.supplierOrderId);
      const words = new Set<string>();
      for (const [id, bills] of dueOf) {
        const word = wordOf(bills, openOf.get(id));
        if (word === undefined) continue;
        words.add(word.messageId);
        if (!told.has(word.messageId)) say(word);
      }
      const settled = due.filter(({ isOpen, isOver }) => isOpen || isOver);
      await updateRows(
        sql,
        'supplier_bills',
        { supplier_order_id: 'text', bill_id: 'text' },
        settled.map(({ supplierOrderId, billId }) => ({
          supplier_order_id: supplierOrderId,
          bill_id: billId,
        })),
        'is_pending = false',
        'o.supplier_order_id = d.supplier_order_id and o.bill_id = d.bill_id',
      );
      return words;
    });
    return 'idle';
  };
}

/** Any number of copies may run it. */
export const startBillSweep = (context: ServiceContext): Periodic =>
  startPeriodic('bill sweep', 2_000, context.log, billRounds(context));
