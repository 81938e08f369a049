import type { EntityManager } from '@mikro-orm/postgresql';
import { holdWordsOf } from '../../contracts/hold-words.ts';
import { redact } from '../../contracts/redact.ts';
import type { HoldList, HoldListQuery, HoldView } from '../../contracts/resources/hold.ts';
import { Hold, HoldNote } from '../../services/store/entities/order.ts';
import type { Store } from '../../services/store/store.ts';
import { fromCursor, toPage } from '../page.ts';

/** Views in the order of the rows, with one query for the notes of all of them. */
export async function toHoldViews(em: EntityManager, holds: readonly Hold[]): Promise<HoldView[]> {
  if (holds.length === 0) return [];
  const notes = await em.find(
    HoldNote,
    { holdId: { $in: holds.map(({ id }) => id) } },
    { orderBy: { id: 'asc' } },
  );
  const notesOf = Map.groupBy(notes, ({ holdId }) => holdId);
  return holds.map((hold) => {
    const { means, mend, release } = holdWordsOf(hold.reason, hold.evidence);
    return {
      id: hold.id,
      orderId: hold.orderId,
      reason: hold.reason,
      lineId: hold.lineId ?? null,
      supplierOrderId: hold.supplierOrderId ?? null,
      evidence: redact(hold.evidence),
      means,
      suggestedMend: mend,
      releaseRule: release,
      notes: (notesOf.get(hold.id) ?? []).map(({ note }) => note),
      openedAt: hold.openedAt.toISOString(),
    };
  });
}

/** Those that are open, newest first. */
export async function readHolds(
  store: Store,
  { limit, cursor, reason, orderId }: HoldListQuery,
): Promise<HoldList> {
  const em = await store.em();
  const place = cursor === undefined ? undefined : fromCursor(cursor);
  const found = await em.find(
    Hold,
    {
      releasedAt: null,
      ...(reason === undefined ? {} : { reason }),
      ...(orderId === undefined ? {} : { orderId }),
      ...(place === undefined
        ? {}
        : {
            openedAt: { $lte: place.createdAt },
            $or: [{ openedAt: { $lt: place.createdAt } }, { id: { $lt: place.id } }],
          }),
    },
    { orderBy: { openedAt: 'desc', id: 'desc' }, limit: limit + 1 },
  );
  const rows = found.map((hold) => ({ createdAt: hold.openedAt, id: hold.id, hold }));
  const { items, nextCursor } = toPage(rows, limit);
  return {
    items: await toHoldViews(
      em,
      items.map(({ hold }) => hold),
    ),
    nextCursor,
  };
}
