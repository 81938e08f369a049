import type { EntityManager } from '@mikro-orm/postgresql';
import { HOLD_WORDS } from '../../contracts/hold-words.ts';
import { redact } from '../../contracts/redact.ts';
import type { HoldView } from '../../contracts/resources/hold.ts';
import { type Hold, HoldNote } from '../../services/store/entities/order.ts';

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
    const { means, mend, release } = HOLD_WORDS[hold.reason];
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
