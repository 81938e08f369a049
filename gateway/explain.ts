import { actionsOn, DEAD_LETTER_WORDS } from '../contracts/dead-letters.ts';
import { DEADLINES, DeadlineName } from '../contracts/deadlines.ts';
import type { Explanation } from '../contracts/resources/explanation.ts';
import { PAUSE_WORDS } from '../contracts/state-words.ts';
import { hasEnded } from '../contracts/vocabulary.ts';
import { waitsOf } from '../contracts/waits.ts';
import { DEAD } from '../machines/hold-scope.ts';
import { isOver, SENDING, STAYS, saysOf } from './explain-purchase.ts';
import type { Explained } from './explained.ts';
import { addedWaits, isAdded, leadingOn, stateWordsOf, wordsOfAdded } from './leading-on.ts';

/**
 * Those that something of the order has to be asked of; of what costs of a budget, a quote. Which suppliers sourcing asks,
 * only its answer says.
 */
const pausesOf = ({ status, supplierOrders, callPauses }: Explained): Explained['callPauses'] =>
  callPauses.filter(
    ({ supplier, stops }) =>
      status === 'sourcing' ||
      supplierOrders.some(
        (purchase) =>
          purchase.supplier === supplier &&
          (stops === 'budget'
            ? purchase.status === 'draft'
            : ![...DEAD, 'delivered'].includes(purchase.status)),
      ),
  );

const settle = ({ id, kind, reason }: Explained['deadLetters'][number]): Explanation['can'] =>
  actionsOn(kind).map((action) => ({
    what: `${action} the dead letter ${id} (${reason})`,
    method: 'POST',
    path: `/dead-letters/${id}/${action}`,
  }));

const letterSentence = ({ id, kind, reason, waiting }: Explained['deadLetters'][number]): string => {
  const { means } = DEAD_LETTER_WORDS[reason];
  if (kind === 'event')
    return `It waits behind a message that could not be handled (dead letter ${id}, ${waiting} later ones wait): ${means}.`;
  const what = kind === 'command' ? 'A command for it' : 'A webhook about it';
  return `${what} was set aside (dead letter ${id}): ${means}.`;
};

/** What a person may say of a purchase in doubt, who has looked for it at the supplier. */
const doubtWays = ({ id, supplier }: Explained['supplierOrders'][number]): Explanation['can'] => [
  {
    what: `name the order at ${supplier} that the purchase ${id} has become, where you find it there`,
    method: 'POST',
    path: `/supplier-orders/${id}/adopt`,
  },
  {
    what: `say that ${supplier} has no order for the purchase ${id}: it is then bought anew, or given up if nobody wants it`,
    method: 'POST',
    path: `/supplier-orders/${id}/not-bought`,
  },
];

/** What may still be changed of the order itself; null: nothing. */
function changeable({ isOff, isErased, supplierOrders, waiting }: Explained): string | null {
  const hasUnits =
    waiting.toSource || waiting.held || supplierOrders.some(({ status }) => status === 'draft');
  if (isErased) return isOff || !hasUnits ? null : 'make units not bought yet fewer';
  if (isOff) return 'change its note';
  const isSaid = supplierOrders.some(({ status }) => status !== 'draft' && !DEAD.includes(status));
  if (!isSaid) return `change address, contact${hasUnits ? ', note or units not bought yet' : ' or note'}`;
  return `change its note${hasUnits ? ' or units not bought yet' : ''}; the rest went to the supplier`;
}

/** What may be done about one purchase. */
function purchaseWays(
  purchase: Explained['supplierOrders'][number],
  holds: Explained['holds'],
): Explanation['can'] {
  const { id, supplier, status, compensation } = purchase;
  const ways: Explanation['can'] = status === 'outcome_unknown' ? doubtWays(purchase) : [];
  const path = `/supplier-orders/${id}`;
  if (status === 'draft')
    ways.push({ what: `name other articles or another shipping method for ${id}`, method: 'PUT', path });
  const isRiddle = holds.some(
    ({ supplierOrderId, evidence }) => supplierOrderId === id && evidence.trackingNumbers !== undefined,
  );
  if (isRiddle && SENDING.includes(status))
    ways.push({
      what: `say what is in a parcel of ${id}`,
      method: 'POST',
      path: `${path}/parcel-contents`,
    });
  if (!isOver(status) && status !== 'cancelling' && (compensation === null || STAYS.includes(status)))
    ways.push({
      what:
        compensation === null
          ? `give up the purchase ${id}, at ${supplier} too where it stands there`
          : `ask ${supplier} once more to give up ${id}`,
      method: 'DELETE',
      path,
    });
  return ways;
}

function can(order: Explained): Explanation['can'] {
  const { id, status, isArchived, supplierOrders, holds, deadLetters } = order;
  const releases: Explanation['can'] = holds.map((hold) => ({
    what: `release the hold ${hold.reason}, once this is done: ${hold.suggestedMend}`,
    method: 'POST',
    path: `/holds/${hold.id}/release`,
  }));
  const ways: Explanation['can'] = [...deadLetters.flatMap(settle), ...releases];
  if (!hasEnded(status) && status !== 'cancelling') {
    ways.push({ what: 'hold the whole order, with a note', method: 'POST', path: `/orders/${id}/holds` });
    const change = changeable(order);
    if (change !== null) ways.push({ what: change, method: 'PUT', path: `/orders/${id}` });
    if (!order.isCancelledHere)
      ways.push({
        what: 'cancel what can be cancelled, and put it away',
        method: 'DELETE',
        path: `/orders/${id}`,
      });
  }
  if (isAdded(order) && status === 'cancelled')
    ways.push({ what: 'change address, contact or note', method: 'PUT', path: `/orders/${id}` });
  if (hasEnded(status) && !isArchived)
    ways.push({ what: 'put it away', method: 'DELETE', path: `/orders/${id}` });
  ways.push(...supplierOrders.flatMap((purchase) => purchaseWays(purchase, holds)));
  return ways;
}

/** Of parcels: those stand whatever the state of their purchase. */
const OF_PARCELS: readonly string[] = ['fulfill', 'transit'];

/** Of a state that is past, or of a question that nobody puts while the order is held: nothing follows from those. */
const isHeeded =
  ({ status: at, supplierOrders, isStopped, waiting }: Explained) =>
  ({ deadline, supplierOrderId }: Explained['timers'][number]): boolean => {
    if (supplierOrderId === null) {
      const isQuestion = deadline === 'sourcing' || deadline === 'verify';
      return !isQuestion || (!isStopped && (waiting.toSource || at !== 'sourcing'));
    }
    const purchase = supplierOrders.find(({ id }) => id === supplierOrderId);
    if (purchase === undefined || OF_PARCELS.includes(deadline)) return true;
    return waitsOf('supplier_order').some(
      ([status, { timers }]) => status === purchase.status && timers.some((name) => name === deadline),
    );
  };

function next(order: Explained): Explanation['next'] {
  const { status, timers, isTest, halted } = order;
  const waits = timers.filter(isHeeded(order)).flatMap(({ deadline, supplierOrderId, dueAt }) => {
    const name = DeadlineName.safeParse(deadline);
    return name.success ? [{ what: DEADLINES[name.data], at: dueAt, supplierOrderId }] : [];
  });
  const byAt = waits.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  if (isTest) return byAt;
  if (hasEnded(status)) {
    if (!isAdded(order)) return byAt;
    return [{ what: addedWaits(order), at: null, supplierOrderId: null }, ...byAt];
  }
  const stopped = halted === null ? [] : [`Nothing goes on until the log of events is mended: ${halted}`];
  const steps = [...stopped, ...leadingOn(order)];
  return [...steps.map((what) => ({ what, at: null, supplierOrderId: null })), ...byAt];
}

/** The order in plain sentences, and the same as data. Table-driven: every state and every reason has its words. */
export function explain(order: Explained): Explanation {
  const { id, status, isArchived, isErased, isTest, supplierOrders, holds, deadLetters } = order;
  const purchases = supplierOrders.map((purchase) => ({ ...purchase, says: saysOf(purchase, order) }));
  const pauses = pausesOf(order);
  const steps = next(order);
  const ways = can(order);
  const sentences = [
    isAdded(order) ? wordsOfAdded(order) : stateWordsOf(order).is,
    ...(isTest ? ['It is a test order: nothing is ever bought for it.'] : []),
    ...(isArchived ? ['It is put away.'] : []),
    ...(isErased && !hasEnded(status)
      ? ['Its customer was erased: what is not bought yet has no address to go to.']
      : []),
    ...deadLetters.map(letterSentence),
    ...purchases.map(({ says }) => says),
    ...holds.map(({ reason, means }) => `It is held (${reason}): ${means}.`),
    ...pauses.map(({ supplier, until, stops }) => `${supplier} ${PAUSE_WORDS[stops].is(until)}`),
    ...steps.map(({ what, at, supplierOrderId }) => {
      const whose = supplierOrderId === null ? '' : ` (${supplierOrderId})`;
      return at === null ? what : `Until ${at}${whose}, else: ${what}.`;
    }),
    ...ways.map(({ what, method, path }) => `You can ${what}: ${method} ${path}.`),
  ];
  return {
    id,
    sentences,
    where: {
      status,
      archived: isArchived,
      supplierOrders: purchases.map(({ id: purchaseId, status: at, says }) => ({
        id: purchaseId,
        status: at,
        says,
      })),
    },
    why: holds.map(({ notes: _notes, orderId: _orderId, ...hold }) => hold),
    deadLetters: [...deadLetters],
    next: [
      ...steps,
      ...pauses.map(({ supplier, until, stops }) => {
        return { what: `${supplier} ${PAUSE_WORDS[stops].over}`, at: until, supplierOrderId: null };
      }),
    ],
    can: ways,
  };
}
