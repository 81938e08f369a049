import { NO_SHOP, ORDER_RECEIVED, ORDER_UPDATED } from '../../contracts/events/order-received.ts';
import { Attention } from '../../contracts/events/supplier-order-observed.ts';
import { redact } from '../../contracts/redact.ts';
import type {
  TIMELINE_ACTORS,
  Timeline,
  TimelineEntryView,
  TimelineQuery,
} from '../../contracts/resources/timeline.ts';
import { Evidence } from '../../contracts/vocabulary.ts';
import { Order, TimelineEntry } from '../../services/store/entities/order.ts';
import type { Store } from '../../services/store/store.ts';
import { cutPage } from '../page.ts';

type ActorName = (typeof TIMELINE_ACTORS)[number];

const ACTORS: Readonly<Record<string, ActorName>> = {
  '/suppliers': 'supplier',
  '/shopify': 'shop',
  '/notifier': 'notifier',
  '/orders': 'clock',
};

/** The gateway speaks for the shop, whose webhooks it takes, and for whoever calls the API. */
const actorOf = ({ actor, type, data }: TimelineEntry): ActorName => {
  if (actor !== '/gateway') return ACTORS[actor] ?? 'unknown';
  const isBody = type === ORDER_RECEIVED || type === ORDER_UPDATED;
  const isOurOwn = data !== null && data !== undefined && 'shop' in data && data.shop === NO_SHOP;
  return isBody && !isOurOwn ? 'shop' : 'operator';
};

/** Facts of an event that explain it. What is not listed, like the lines of a body, is told by the order itself. */
const TOLD = [
  'reason',
  'failureClass',
  'attempt',
  'status',
  'deadline',
  'payment',
  'cancelled',
  'isPaid',
  'round',
  'how',
  'kind',
  'doubt',
  'supplierReference',
  'heldBack',
  'amountMinor',
  'lookUps',
  'lineId',
  'parcelId',
  'newSupplierOrderId',
  'message',
  'action',
  'letterId',
] as const;

function evidenceOf({ data }: TimelineEntry): Evidence {
  const facts = new Map(Object.entries(data ?? {}));
  const told = Object.fromEntries(
    TOLD.filter((name) => facts.has(name)).map((name) => [name, facts.get(name)]),
  );
  const attention = Attention.safeParse(facts.get('attention')).data;
  return redact(
    Evidence.parse({
      ...told,
      ...Evidence.catch({}).parse(facts.get('evidence')),
      ...(attention === undefined ? {} : { ...attention.evidence, attention: attention.reason }),
    }),
  );
}

const toTimelineView = (entry: TimelineEntry): TimelineEntryView => ({
  id: String(entry.id),
  at: entry.at.toISOString(),
  event: entry.type,
  accepted: entry.accepted,
  actor: actorOf(entry),
  messageId: entry.messageId,
  cause: entry.cause ?? null,
  before: entry.fromState ?? null,
  after: entry.toState ?? null,
  supplierOrder:
    entry.supplierOrderId == null
      ? null
      : { id: entry.supplierOrderId, before: entry.supplierFrom ?? null, after: entry.supplierTo ?? null },
  evidence: evidenceOf(entry),
});

/** Null when there is no such order. */
export async function readTimeline(
  store: Store,
  orderId: string,
  { limit, cursor }: TimelineQuery,
): Promise<Timeline | null> {
  const em = await store.em();
  const found = await em.find(
    TimelineEntry,
    { orderId, ...(cursor === undefined ? {} : { id: { $gt: Number(cursor) } }) },
    { orderBy: { id: 'asc' }, limit: limit + 1 },
  );
  if (found.length === 0 && (await em.findOne(Order, { id: orderId }, { fields: ['id'] })) === null)
    return null;
  const { items, nextCursor } = cutPage(found, limit, ({ id }) => String(id));
  return { items: items.map(toTimelineView), nextCursor };
}
