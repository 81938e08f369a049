import { STUCK_WORDS, type StuckItem, type StuckList, StuckQuery } from '../../contracts/resources/stuck.ts';
import type { Settings } from '../../contracts/settings.ts';
import { waitsOf } from '../../contracts/waits.ts';
import type { Sql, Store } from '../../services/store/store.ts';
import { readStuck, type StuckRow } from '../../services/store/stuck.ts';
import { cutPage, fromCursor, toCursor } from '../page.ts';
import { readQuery } from '../read-input.ts';
import type { Route } from '../route.ts';

const keyOf = ({ kind, id }: StuckRow): string => `${kind}_${id}`;

/** Of these the orders that there are: of a letter the order may never have come to be. */
async function knownOrders(sql: Sql, rows: readonly StuckRow[]): Promise<ReadonlySet<string | null>> {
  const ids = rows.flatMap(({ orderId }) => orderId ?? []);
  const known = await sql.query<{ id: string }>('select id from orders where id = any($1::text[])', [ids]);
  return new Set(known.map(({ id }) => id));
}

function toItem(
  { kind, id, state, reason, since, deadlineAt, orderId }: StuckRow,
  known: ReadonlySet<string | null>,
): StuckItem {
  const next = waitsOf(kind).find(([name]) => name === state)?.[1].next ?? '';
  return {
    kind,
    id,
    state,
    reason,
    says: STUCK_WORDS[reason],
    next,
    since: new Date(since).toISOString(),
    deadlineAt: new Date(deadlineAt).toISOString(),
    orderId,
    explain: known.has(orderId) ? `/orders/${orderId}/explain` : null,
  };
}

/** The watchdog: what waits longer than the table of deadlines allows, or has nothing that wakes it. */
export const stuckRoutes = (store: Store, settings: Settings): Route[] => [
  {
    method: 'GET',
    path: '/stuck',
    handle: async (event): Promise<StuckList> => {
      const { limit, cursor, kind, toleranceSeconds } = readQuery(event, StuckQuery);
      const place = cursor === undefined ? undefined : fromCursor(cursor);
      const after = place === undefined ? undefined : { since: place.createdAt, key: place.id };
      const rows = await readStuck(store, settings, { limit: limit + 1, kind, toleranceSeconds, after });
      const { items, nextCursor } = cutPage(rows, limit, (last) =>
        toCursor({ createdAt: new Date(last.since), id: keyOf(last) }),
      );
      const known = await knownOrders(store, items);
      return { items: items.map((row) => toItem(row, known)), nextCursor };
    },
  },
];
