import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { messageOf } from '../contracts/errors.ts';
import { OrderEvent } from '../contracts/events/order-event.ts';
import type { OrderStateName, SupplierOrderStateName } from '../contracts/vocabulary.ts';
import { DEAD } from '../machines/hold-scope.ts';
import { INTENT_WRITTEN } from '../machines/intent-written.ts';
import { assertConserved } from '../machines/invariants.ts';
import type { OrderActor } from '../machines/order-actor.ts';
import type { OrderContext } from '../machines/order-context.ts';
import { MACHINE_VERSION, replay, type Told } from '../machines/replay.ts';
import type { SupplierOrderContext } from '../machines/supplier-order-context.ts';
import { besideProblems, NOTHING_BESIDE, orphans, readBeside } from './audit-rows.ts';
import { describeDifference, differencesOf } from './differences.ts';
import type { Store } from './store/store.ts';

export interface Checked {
  orders: number;
  lines: number;
  units: number;
  supplierOrders: number;
  /** Orders whose timeline was told again; others were in the hands of other machines, or do not have all of it. */
  replayed: number;
}

interface OrderRow {
  id: string;
  state: OrderStateName;
  context: OrderContext;
  machineVersion: number;
}
interface PurchaseRow {
  id: string;
  orderId: string;
  state: SupplierOrderStateName;
  context: SupplierOrderContext;
  /** Units by line of its lines' rows. */
  bought: Record<string, number> | null;
}
interface TimelineRow {
  orderId: string;
  id: string;
  type: string;
  data: unknown;
  from: string | null;
  to: string | null;
  supplierOrderId: string | null;
  supplierFrom: string | null;
  supplierTo: string | null;
  machineVersion: number | null;
}

const BATCH = 500;

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** What does not add up about one order: by its own counts, and by those of its purchases and their lines. */
function unitProblems(order: OrderRow, purchases: readonly PurchaseRow[]): string[] {
  const problems: string[] = [];
  try {
    assertConserved(order.context);
  } catch (error) {
    problems.push(messageOf(error));
  }
  const known = order.context.supplierOrders;
  if (Object.keys(known).length !== purchases.length)
    problems.push(
      `it knows ${Object.keys(known).length} supplier orders, and ${purchases.length} are stored`,
    );
  for (const { id, state, context, bought } of purchases) {
    const ours = known[id];
    if (ours === undefined) {
      problems.push(`it does not know its supplier order ${id}`);
      continue;
    }
    if (!isDeepStrictEqual(ours.units, context.units))
      problems.push(`${id} has other units than its order says`);
    // Fewer may be on it than were bought: what a supplier took out again is no longer its own.
    for (const [lineId, units] of Object.entries(context.units))
      if ((bought?.[lineId] ?? 0) < units)
        problems.push(`${id} was bought for fewer units of line ${lineId} than it counts`);
    // An intent moves the row before the order hears of it.
    const isAhead = ours.state === 'draft' && state === 'placing';
    if (ours.state !== state && !isAhead && DEAD.includes(ours.state) !== DEAD.includes(state))
      problems.push(`${id} is ${state}, but its order takes it for ${ours.state}`);
  }
  return problems;
}

const IntentWritten = z.object({ supplierOrderId: z.string() });

function told(rows: readonly TimelineRow[]): Told[] {
  return rows.map(({ type, data }) =>
    type === INTENT_WRITTEN
      ? { type: INTENT_WRITTEN, data: IntentWritten.parse(data) }
      : OrderEvent.parse({ type, data }),
  );
}

/** What an entry says that it found and left, and what is found and left when it is told again. */
function gapAt(entry: TimelineRow, before: OrderActor, after: OrderActor): string | null {
  const purchaseIn = ({ supplierOrders }: OrderActor) =>
    entry.supplierOrderId === null ? null : (supplierOrders.get(entry.supplierOrderId)?.value ?? null);
  const moved = (entryFrom: string | null, entryTo: string | null): string =>
    `from ${entryFrom ?? 'nothing'} to ${entryTo ?? 'nothing'}`;
  const places = [
    ...(entry.type === INTENT_WRITTEN
      ? []
      : [['order', entry.from, entry.to, before.order?.value, after.order?.value] as const]),
    [
      entry.supplierOrderId,
      entry.supplierFrom,
      entry.supplierTo,
      purchaseIn(before),
      purchaseIn(after),
    ] as const,
  ];
  for (const [what, from, to, toldFrom = null, toldTo = null] of places)
    if (from !== toldFrom || to !== toldTo)
      return `entry ${entry.id} of its timeline (${entry.type}) moved ${what} ${moved(from, to)}, told again ${moved(toldFrom, toldTo)}: an entry before it is missing or changed`;
  return null;
}

/**
 * Whether it was told to these machines from its beginning on. The release before goes on with orders that this one began,
 * and this one with those: other machines may have taken what they heard otherwise.
 */
const isOurs = (order: OrderRow, timeline: readonly TimelineRow[]): boolean =>
  order.machineVersion === MACHINE_VERSION &&
  timeline.every(({ type, machineVersion }) => type === INTENT_WRITTEN || machineVersion === MACHINE_VERSION);

/** Where telling the timeline again leads to something else than what is stored. */
function replayProblems(
  order: OrderRow,
  purchases: readonly PurchaseRow[],
  timeline: readonly TimelineRow[],
): string[] {
  let again: OrderActor;
  // The others follow from the first.
  let gap: string | null = null;
  try {
    again = replay(told(timeline), (before, after, index) => {
      const entry = timeline[index];
      if (entry !== undefined) gap ??= gapAt(entry, before, after);
    });
  } catch (error) {
    return [`its timeline cannot be told again: ${messageOf(error)}`];
  }
  const stored = {
    order: { state: order.state, context: order.context },
    ...Object.fromEntries(purchases.map(({ id, state, context }) => [id, { state, context }])),
  };
  const replayed = {
    order: again.order === null ? null : { state: again.order.value, context: again.order.context },
    ...Object.fromEntries(
      [...again.supplierOrders].map(([id, { value: state, context }]) => [id, { state, context }]),
    ),
  };
  const differences = differencesOf(plain(stored), plain(replayed)).map(describeDifference);
  return gap === null ? differences : [gap, ...differences];
}

/** @returns the next orders by id, with everything that belongs to them, as they stood at one moment. */
const readBatch = (store: Store, after: string, orderId: string | undefined) =>
  store.transaction(async (sql) => {
    await sql.run('set transaction isolation level repeatable read, read only');
    const orders = await sql.query<OrderRow>(
      `select id, state, context, machine_version as "machineVersion" from orders
        where id > $1 and ($3::text is null or id = $3) order by id limit $2`,
      [after, BATCH, orderId ?? null],
    );
    const ids = orders.map(({ id }) => id);
    const purchases = await sql.query<PurchaseRow>(
      `select s.id, s.order_id as "orderId", s.state, s.context,
              (select json_object_agg(line_id, units)
                 from (select line_id, sum(units) as units from supplier_order_lines l
                        where l.supplier_order_id = s.id group by line_id) b) as bought
         from supplier_orders s where s.order_id = any($1::text[]) order by s.id`,
      [ids],
    );
    const timeline = await sql.query<TimelineRow>(
      `select order_id as "orderId", id::text, type, data, from_state as "from", to_state as "to",
              supplier_order_id as "supplierOrderId", supplier_from as "supplierFrom", supplier_to as "supplierTo",
              machine_version as "machineVersion"
         from timeline
        where order_id = any($1::text[]) and accepted order by timeline.id`,
      [ids],
    );
    return { orders, purchases, timeline, beside: await readBeside(sql, ids) };
  });

export interface AuditOptions {
  /** This order alone; one that is not there is a violation. */
  readonly orderId?: string | undefined;
  readonly onProgress?: (checked: Readonly<Checked>) => void;
}

/**
 * Goes through the orders in batches and says what is wrong, a line each that begins with the order's id, and at the end
 * what it checked. Nothing is locked and nothing changed: it may run beside a working system, and holds one batch at a
 * time.
 */
export async function audit(
  store: Store,
  say: (text: string) => void,
  { orderId, onProgress }: AuditOptions = {},
): Promise<{ checked: Checked; violations: number }> {
  const checked: Checked = { orders: 0, lines: 0, units: 0, supplierOrders: 0, replayed: 0 };
  let violations = 0;
  for (let after = ''; ; ) {
    const { orders, purchases, timeline, beside } = await readBatch(store, after, orderId);
    const purchasesOf = Map.groupBy(purchases, ({ orderId: id }) => id);
    const timelineOf = Map.groupBy(timeline, ({ orderId: id }) => id);
    for (const order of orders) {
      const own = purchasesOf.get(order.id) ?? [];
      const entries = timelineOf.get(order.id) ?? [];
      const intended = new Set(
        entries.flatMap(({ type, supplierOrderId: id }) =>
          type === INTENT_WRITTEN && id !== null ? [id] : [],
        ),
      );
      const problems = [
        ...unitProblems(order, own),
        ...besideProblems(order.context, own, beside.get(order.id) ?? NOTHING_BESIDE, intended),
      ];
      const lines = Object.values(order.context.lines);
      checked.orders += 1;
      checked.lines += lines.length;
      checked.units += lines.reduce((sum, { ordered }) => sum + ordered, 0);
      checked.supplierOrders += own.length;
      if (isOurs(order, entries)) {
        problems.push(...replayProblems(order, own, entries));
        checked.replayed += 1;
      }
      for (const problem of problems) say(`${order.id}: ${problem}`);
      violations += problems.length;
    }
    onProgress?.(checked);
    const last = orders.at(-1);
    if (last === undefined || orders.length < BATCH) break;
    after = last.id;
  }
  const lost = orderId === undefined ? await orphans(store) : [];
  for (const line of lost) say(line);
  violations += lost.length;
  if (orderId !== undefined && checked.orders === 0) {
    say(`${orderId}: there is no such order`);
    violations += 1;
  }
  say(
    `checked ${checked.orders} orders with ${checked.lines} lines and ${checked.units} units, and ${checked.supplierOrders} supplier orders: ` +
      'ordered = unallocated + held + on supplier orders + outside + cancelled, purchases agree with their orders and lines',
  );
  say(
    `told the timeline of ${checked.replayed} orders again and compared it with the stored state; ` +
      `${checked.orders - checked.replayed} were told to other machines too, or are older than their timeline`,
  );
  say(violations === 0 ? 'no violation' : `${violations} violations`);
  return { checked, violations };
}
