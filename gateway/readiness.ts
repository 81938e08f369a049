import type { FieldProblem } from '../contracts/errors.ts';
import { missingScopes, NEEDED_SCOPES } from '../contracts/shopify-scopes.ts';
import { STREAMS } from '../contracts/subjects.ts';
import type { Bus } from '../services/bus/bus.ts';
import { isRefusedLately } from '../services/store/refusals.ts';
import type { Sql } from '../services/store/store.ts';
import { withPatience } from '../services/with-patience.ts';

/** Whoever asks gives up after a few seconds, so an answer that takes longer is a no. */
const PATIENCE_MS = 2_000;

const READ_ONLY =
  'PostgreSQL takes no writes: it is a standby, or was set to be read only, as some are when the disk is full';

const NO_ROOM = 'PostgreSQL refuses what is written: its disk is full';

async function databaseProblems(sql: Sql): Promise<FieldProblem[]> {
  try {
    const rows = await withPatience(
      sql.query<{ part: number | null; halted: string | null; isReadOnly: boolean }>(
        `select part, halted, current_setting('transaction_read_only')::boolean as "isReadOnly"
           from (select 1) one left join event_partitions on halted is not null order by part`,
      ),
      PATIENCE_MS,
    );
    return [
      ...(rows[0]?.isReadOnly ? [{ path: 'database', message: READ_ONLY }] : []),
      ...(isRefusedLately('disk_full') ? [{ path: 'database', message: NO_ROOM }] : []),
      ...rows.flatMap(({ part, halted }) =>
        halted === null ? [] : [{ path: `partition.${part}`, message: halted }],
      ),
    ];
  } catch {
    return [{ path: 'database', message: 'PostgreSQL does not answer, or its schema is not set up' }];
  }
}

/** The server goes on serving without it, and turns it on again at its start only. */
const NO_JETSTREAM =
  'JetStream does not answer: its streams are not set up, or NATS has turned it off because its disk was full, until it is restarted';

async function natsProblems(bus: Bus): Promise<FieldProblem[]> {
  try {
    if (!bus.isConnected()) return [{ path: 'nats', message: 'there is no connection to NATS' }];
    await withPatience(bus.streamState(STREAMS.events), PATIENCE_MS);
    return [];
  } catch {
    return [{ path: 'nats', message: NO_JETSTREAM }];
  }
}

/** What keeps orders from being worked on, by part. Empty: all is well. */
export async function findProblems(sql: Sql, bus: Bus): Promise<FieldProblem[]> {
  return (await Promise.all([databaseProblems(sql), natsProblems(bus)])).flat();
}

interface ShopRow {
  readonly shop: string;
  readonly scopes: string[] | null;
  readonly problems: FieldProblem[] | null;
  readonly isUninstalled: boolean;
}

/**
 * What a person should see to while orders are still taken: an uninstalled app, missing scopes, what the last check of
 * the shop found. No reason to send nobody here any more, or the shop's webhooks would be lost as well.
 */
export async function findWarnings(sql: Sql): Promise<FieldProblem[]> {
  const rows = await withPatience(
    sql.query<ShopRow>(
      `select shop, scopes, problems, uninstalled_at is not null as "isUninstalled" from shop_status order by shop`,
    ),
    PATIENCE_MS,
  ).catch(() => []);
  return rows.flatMap(({ shop, scopes, problems, isUninstalled }) => [
    ...(isUninstalled
      ? [{ path: shop, message: 'the app was uninstalled: nothing can be written there' }]
      : []),
    ...missingScopes(scopes ?? Object.keys(NEEDED_SCOPES)).map((message) => ({ path: shop, message })),
    ...(problems ?? []),
  ]);
}
