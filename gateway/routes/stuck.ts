import { STUCK_WORDS, type StuckItem, type StuckList, StuckQuery } from '../../contracts/resources/stuck.ts';
import type { Settings } from '../../contracts/settings.ts';
import { waitsOf } from '../../contracts/waits.ts';
import type { Store } from '../../services/store/store.ts';
import { readStuck, type StuckRow } from '../../services/store/stuck.ts';
import { cutPage, fromCursor, toCursor } from '../page.ts';
import { readQuery } from '../read-input.ts';
import type { Route } from '../route.ts';

const keyOf = ({ kind, id }: StuckRow): string => `${kind}_${id}`;

const isOrderId = (id: string | null): id is string => id !== null && /^ord_\w{1,60}$/.test(id);

function toItem({ kind, id, state, reason, since, deadlineAt, orderId }: StuckRow): StuckItem {
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
    explain: isOrderId(orderId) ? `/orders/${orderId}/explain` : null,
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
      return { items: items.map(toItem), nextCursor };
    },
  },
];
