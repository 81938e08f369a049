import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { INTENT_WRITTEN } from '../../machines/intent-written.ts';
import { PROJECT } from '../fixtures/compose-file.ts';
import { NODE_ENVIRONMENT } from '../fixtures/node-environment.ts';
import { Ledger } from '../fixtures/outside-ledger.ts';
import { PERSONAL, type Story } from './shop-life.ts';
import type { WholeSystem } from './whole-system.ts';

export interface OrderRow {
  readonly id: string;
  readonly shopOrderId: string;
  readonly state: string;
  readonly lines: Readonly<Record<string, { readonly ordered: number; readonly cancelled: number }>>;
  readonly holds: readonly {
    readonly reason: string;
    readonly evidence: Readonly<Record<string, unknown>>;
  }[];
}
export interface PurchaseRow {
  readonly id: string;
  readonly orderId: string;
  readonly state: string;
  readonly reference: string | null;
  readonly payment: string | null;
  /** Units by the supplier's variant. */
  readonly articles: Readonly<Record<string, number>>;
}
export interface ParcelRow {
  readonly id: string;
  readonly orderId: string;
  readonly trackingNumber: string;
  readonly lastMile: string | null;
  readonly fulfillmentState: string | null;
  readonly isShown: boolean;
  readonly units: Readonly<Record<string, number>>;
}
export interface MailRow {
  readonly id: string;
  readonly orderId: string | null;
  readonly kind: string;
  readonly parcelId: string | null;
  readonly state: string;
}

/** Everything that speaks for or against the system after a run: its own rows, the outside world's books, the logs. */
export interface Evidence {
  readonly stories: readonly Story[];
  readonly orders: readonly OrderRow[];
  readonly purchases: readonly PurchaseRow[];
  readonly parcels: readonly ParcelRow[];
  readonly mailRows: readonly MailRow[];
  readonly ledger: Ledger;
  /** What should be empty by now, one line each. */
  readonly leftovers: readonly string[];
  /** Messages that moved an order twice. */
  readonly takenTwice: readonly string[];
  /** Partitions to which somebody wrote a position that was not ahead. */
  readonly setBack: readonly string[];
  /** Between what is stored and what the orders' timelines tell. */
  readonly differences: readonly string[];
  readonly strangeEnds: readonly string[];
  readonly logs: readonly { readonly name: string; readonly text: string }[];
  readonly forbidden: readonly string[];
}

/** Has the database note whoever writes a position that is not ahead: only a fenced-off owner could. */
export async function watchPositions(system: WholeSystem): Promise<void> {
  await system.rows(`create table fault_suite_set_back (part int, from_seq bigint, to_seq bigint)`);
  await system.rows(
    `create function fault_suite_note() returns trigger language plpgsql as $$
     begin insert into fault_suite_set_back values (old.part, old.seq, new.seq); return new; end $$`,
  );
  await system.rows(
    `create trigger fault_suite_positions after update of seq on event_partitions for each row
       when (new.seq <= old.seq and old.halted is null) execute function fault_suite_note()`,
  );
}

/** Named as they were written; those that nothing will move any more count as ended. */
const leftovers = (underWaySeconds: number): Readonly<Record<string, string>> => ({
  // Marks are gathered for a moment; what is younger is under way.
  'transactions whose messages nobody published':
    "select count(*)::int as count from outbox_pending where created_at < now() - interval '2 seconds'",
  'events that were published and never taken': `select count(*)::int as count from outbox o
     where subject like 'oms.evt.%' and o.created_at < now() - interval '${underWaySeconds} seconds'
       and o.id not in (select unnest(ids) from outbox_pending)
       and not exists (select 1 from inbox i where i.message_id = o.message_id)`,
  'timers overdue for more than ten seconds':
    "select count(*)::int as count from timers where due_at < now() - interval '10 seconds'",
  'dead letters': "select count(*)::int as count from dead_letters where state in ('open', 'parked')",
  'halted partitions': 'select count(*)::int as count from event_partitions where halted is not null',
  'mails that wait': "select count(*)::int as count from notifications where state in ('pending', 'sending')",
});

/** @param underWaySeconds younger events are on their way. */
export async function leftoversOf(system: WholeSystem, underWaySeconds = 0): Promise<string[]> {
  const left: string[] = [];
  for (const [what, statement] of Object.entries(leftovers(underWaySeconds))) {
    const [row] = await system.rows<{ count: number }>(statement);
    if ((row?.count ?? 0) > 0) left.push(`${row?.count} ${what}`);
  }
  return left;
}

const ISSUED = `select token from supplier_accounts, unnest(array[access_token, refresh_token, account_id]) as token
                 where token is not null and token <> ''`;

const UNDER_WAY_SECONDS = 10;
const LASTING_MS = 30_000;

/** Purchases in doubt are asked for again and again, so that events are under way at any moment: what stays is left over. */
async function lastingLeftovers(system: WholeSystem): Promise<string[]> {
  const deadline = performance.now() + LASTING_MS;
  for (;;) {
    const left = await leftoversOf(system, UNDER_WAY_SECONDS);
    if (left.length === 0 || performance.now() > deadline) return left;
    await delay(1_000);
  }
}

/** What `npm run verify` finds wrong; in a process of its own, since this one carries the wires of the second copies. */
async function differencesIn(connectionString: string): Promise<string[]> {
  const env = { ...NODE_ENVIRONMENT, DB_CONNECTION_STRING: connectionString };
  const verify = spawn(process.execPath, ['deploy/verify.ts'], {
    cwd: PROJECT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = Promise.all([text(verify.stdout), text(verify.stderr)]);
  const [code] = await once(verify, 'close');
  return code === 0 ? [] : [`exit code ${code}`, ...(await said).join('').trim().split('\n')];
}

/** What is written and what the outside world has in its books, of one moment: late pushes still move orders that are held. */
async function atOneMoment<Rows>(
  system: WholeSystem,
  readRows: () => Promise<Rows>,
): Promise<Rows & { readonly ledger: Ledger }> {
  const readLedger = async () => Ledger.parse(await system.control('GET', '/ledger'));
  const ofDeeds = ({ calls: _, ...deeds }: Ledger): string => JSON.stringify(deeds);
  const deadline = performance.now() + LASTING_MS;
  for (;;) {
    const ledger = await readLedger();
    const rows = await readRows();
    if (ofDeeds(await readLedger()) === ofDeeds(ledger) || performance.now() > deadline)
      return { ...rows, ledger };
    await delay(1_000);
  }
}

export async function readEvidence(system: WholeSystem, stories: readonly Story[]): Promise<Evidence> {
  const leftovers = await lastingLeftovers(system);
  const differences = await differencesIn(system.connectionString);
  const issued = await system.rows<{ token: string }>(ISSUED);
  const logFiles = readdirSync(system.logDir);
  const rows = await atOneMoment(system, async () => ({
    orders: await readOrders(system),
    purchases: await system.rows<PurchaseRow>(
      `select s.id, s.order_id as "orderId", s.state, s.supplier_reference as reference,
              (select state from purchase_intents where supplier_order_id = s.id and kind = 'pay') as payment,
              (select coalesce(json_object_agg(v, n), '{}') from (
                 select supplier_variant_id as v, sum(supplier_units)::int as n from supplier_order_lines l
                  where l.supplier_order_id = s.id group by supplier_variant_id) a) as articles
         from supplier_orders s`,
    ),
    parcels: await system.rows<ParcelRow>(
      `select id, order_id as "orderId", tracking_number as "trackingNumber",
              last_mile_tracking_number as "lastMile", units,
              fulfillment_state as "fulfillmentState", shown_state is not distinct from state as "isShown"
         from parcels`,
    ),
    mailRows: await system.rows<MailRow>(
      `select id, order_id as "orderId", kind, parcel_id as "parcelId", state from notifications`,
    ),
  }));
  return {
    stories,
    ...rows,
    leftovers,
    takenTwice: (
      await system.rows<{ id: string }>(
        // A command that comes again finds out whether it is wanted still, and what it then does bears its id.
        `select message_id as id from timeline where type <> '${INTENT_WRITTEN}'
          group by order_id, message_id having count(*) > 1`,
      )
    ).map(({ id }) => id),
    setBack: (
      await system.rows<{ part: number; from_seq: string; to_seq: string }>(
        'select part, from_seq, to_seq from fault_suite_set_back',
      )
    ).map(({ part, from_seq, to_seq }) => `partition ${part} from ${from_seq} to ${to_seq}`),
    differences,
    strangeEnds: system.copies.flatMap((copy) => copy.strangeEnds()),
    logs: logFiles.map((name) => ({ name, text: readFileSync(join(system.logDir, name), 'utf8') })),
    forbidden: [...PERSONAL, ...system.secrets, ...issued.map(({ token }) => token)],
  };
}

export const readOrders = (system: WholeSystem): Promise<OrderRow[]> =>
  system.rows<OrderRow>(
    `select o.id, o.shop_order_id as "shopOrderId", o.state, o.context -> 'lines' as lines,
            (select coalesce(json_agg(json_build_object('reason', h.reason, 'evidence', h.evidence)), '[]')
               from holds h where h.order_id = o.id and h.released_at is null) as holds
       from orders o`,
  );
