import type { Evidence, OrderRow, PurchaseRow } from './evidence.ts';

/** One promise, and what speaks against it: nothing when it was kept. */
export interface Verdict {
  readonly claim: string;
  readonly against: readonly string[];
}

export const isComplete = ({ state }: OrderRow): boolean =>
  ['delivered', 'cancelled', 'refunded'].includes(state);
export const isHeld = ({ holds }: OrderRow): boolean => holds.length > 0;

const BOUGHT = ['accepted', 'processing', 'partially_shipped', 'shipped', 'delivered'];
/** Nobody may leave a purchase there: a hold of its order explains only what waits for a person. */
const IN_THE_AIR = ['placing'];

const living = ({ ledger }: Evidence) =>
  new Map(
    ledger.purchases.map(({ orderNumber, orders }) => [
      orderNumber,
      orders.filter(({ status }) => status !== 'CANCELLED'),
    ]),
  );

const sumBy = <T>(items: readonly T[], key: (item: T) => string, count: (item: T) => number) => {
  const sums = new Map<string, number>();
  for (const item of items) sums.set(key(item), (sums.get(key(item)) ?? 0) + count(item));
  return sums;
};

const sameUnits = (a: Readonly<Record<string, number>>, b: ReadonlyMap<string, number>): boolean =>
  Object.keys(a).length === b.size && Object.entries(a).every(([key, units]) => b.get(key) === units);

type SoldOrder = Evidence['ledger']['purchases'][number]['orders'][number];

const unitsOf = (products: SoldOrder['products']): ReadonlyMap<string, number> =>
  sumBy(
    products,
    ({ vid }) => vid,
    ({ quantity }) => quantity,
  );

const show = ({ id, state, holds }: OrderRow): string =>
  `${id} ${state}${holds.length > 0 ? ` held: ${holds.map(({ reason }) => reason).join(', ')}` : ''}`;

function ordersEnded({ stories, orders, purchases }: Evidence): string[] {
  const known = new Set(orders.map(({ id }) => id));
  return [
    ...stories
      .filter(({ orderId }) => !known.has(orderId))
      .map(({ orderId }) => `${orderId} never came to be`),
    ...orders.filter((order) => !isComplete(order) && !isHeld(order)).map(show),
    ...orders
      .filter((order) => order.holds.some(({ evidence }) => Object.keys(evidence).length === 0))
      .map((order) => `${show(order)}: without evidence`),
    ...purchases
      .filter(({ state }) => IN_THE_AIR.includes(state))
      .map(({ id, state }) => `${id} is left ${state}`),
  ];
}

/** What the supplier sold under a purchase's number is what we believe to have bought. */
function boughtUnits(evidence: Evidence): string[] {
  const books = living(evidence);
  const ours = new Map(evidence.purchases.map((purchase) => [purchase.id, purchase]));
  const wrong = ({ id, state, articles, reference }: PurchaseRow): string[] => {
    const [order] = books.get(id) ?? [];
    if (!BOUGHT.includes(state)) return [];
    if (order === undefined) return [`${id} is ${state} and the supplier has nothing`];
    if (order.paidCount !== 1) return [`${id} is ${state} and was paid ${order.paidCount} times`];
    if (order.orderId !== reference)
      return [`${id} is known as ${reference}, the supplier's is ${order.orderId}`];
    return sameUnits(articles, unitsOf(order.products)) ? [] : [`${id} has other units at the supplier`];
  };
  return [
    ...evidence.purchases.flatMap(wrong),
    ...[...books].flatMap(([number, orders]) =>
      ours.has(number) || orders.length === 0 ? [] : [`the supplier sold ${number}, which nobody knows`],
    ),
    ...deliveredUnits(evidence, books),
  ];
}

/** Orders at a supplier of which a person hears: by their names, or because a purchase in doubt may be theirs. */
function toldOf({ orders, purchases }: Evidence): (order: SoldOrder) => boolean {
  const known = new Set(purchases.flatMap(({ reference }) => reference?.split(',') ?? []));
  const named = new Set(
    orders
      .flatMap(({ holds }) => holds)
      .filter(({ reason }) => reason === 'duplicate_suspected')
      .flatMap(({ evidence }) => String(evidence.references).split(' ')),
  );
  const doubtful = purchases.filter(({ state }) => state === 'outcome_unknown');
  return ({ orderId, products }) => {
    const sold = unitsOf(products);
    return (
      !known.has(orderId) &&
      (named.has(orderId) || doubtful.some(({ articles }) => sameUnits(articles, sold)))
    );
  };
}

/**
 * An order that nobody changed and that was delivered was bought to the unit, whatever our own rows say, but for what its
 * supplier made and denied.
 */
function deliveredUnits(evidence: Evidence, books: ReturnType<typeof living>): string[] {
  const { stories, orders, purchases } = evidence;
  const byOrder = Map.groupBy(purchases, ({ orderId }) => orderId);
  const states = new Map(orders.map((order) => [order.id, order.state]));
  const isTold = toldOf(evidence);
  return stories.flatMap(({ orderId, articles, change }) => {
    if (change !== null || states.get(orderId) !== 'delivered') return [];
    const ordered = articles.reduce((sum, { units }) => sum + units, 0);
    const sold = (byOrder.get(orderId) ?? [])
      .flatMap(({ id }) => books.get(id) ?? [])
      .filter((order) => !isTold(order))
      .flatMap(({ products }) => products)
      .reduce((sum, { quantity }) => sum + quantity, 0);
    return sold === ordered ? [] : [`${orderId}: ${ordered} units ordered, ${sold} sold`];
  });
}

const boughtOnce = (evidence: Evidence): string[] =>
  [...living(evidence)].flatMap(([number, orders]) => [
    ...(orders.length > 1 ? [`${number} was bought ${orders.length} times`] : []),
    ...(orders.some(({ paidCount }) => paidCount > 1) ? [`${number} was paid twice`] : []),
  ]);

/** The shop shows for each line what its parcels hold, and for a delivered order what was ordered. */
function fulfilledUnits({ ledger, parcels, orders }: Evidence): string[] {
  const shown = sumBy(
    ledger.fulfillments.filter(({ status }) => status === 'SUCCESS').flatMap(({ lines }) => lines),
    ({ lineItemId }) => lineItemId,
    ({ quantity }) => quantity,
  );
  const sent = sumBy(
    parcels
      .filter(({ fulfillmentState }) => fulfillmentState === 'done')
      .flatMap(({ units }) => Object.entries(units)),
    ([lineId]) => `gid://shopify/LineItem/${lineId}`,
    ([, units]) => units,
  );
  const lineOf = new Map(
    orders.flatMap((order) =>
      Object.entries(order.lines).map(([lineId, line]) => [
        `gid://shopify/LineItem/${lineId}`,
        { order, line },
      ]),
    ),
  );
  return [...new Set([...shown.keys(), ...sent.keys(), ...lineOf.keys()])].flatMap((lineId) => {
    const [inShop, inParcels] = [shown.get(lineId) ?? 0, sent.get(lineId) ?? 0];
    const { order, line } = lineOf.get(lineId) ?? {};
    const ordered = line === undefined ? 0 : line.ordered - line.cancelled;
    // A parcel with units that the shop wants no more is shown without them.
    if (inShop > inParcels) return [`${lineId}: ${inParcels} in parcels, the shop shows ${inShop}`];
    if (order?.state === 'delivered' && !isHeld(order) && inShop !== ordered)
      return [`${lineId}: ${ordered} ordered and delivered, the shop shows ${inShop}`];
    return [];
  });
}

function shownTracking({ ledger, parcels, orders }: Evidence): string[] {
  const numbers = sumBy(
    ledger.fulfillments
      .filter(({ status }) => status !== 'CANCELLED')
      .flatMap(({ trackingNumbers }) => trackingNumbers),
    (number) => number,
    () => 1,
  );
  const held = new Set(orders.filter(isHeld).map(({ id }) => id));
  const known = new Set(parcels.flatMap(({ trackingNumber, lastMile }) => [trackingNumber, lastMile ?? '']));
  return [
    ...parcels.flatMap(({ id, orderId, trackingNumber, fulfillmentState, isShown }) => {
      const times = numbers.get(trackingNumber) ?? 0;
      if (times > 1) return [`${trackingNumber} stands in the shop ${times} times`];
      if (fulfillmentState !== 'done')
        return held.has(orderId) ? [] : [`${id} is ${fulfillmentState} and nobody holds it`];
      if (times === 0) return [`${trackingNumber} of ${id} is not in the shop`];
      return isShown ? [] : [`the shop does not show where ${id} is`];
    }),
    ...[...numbers.keys()]
      .filter((number) => !known.has(number))
      .map((number) => `${number} is nobody's parcel`),
    ...ledger.fulfillments
      .filter(({ events }) => new Set(events).size < events.length)
      .map(({ orderId }) => `a checkpoint of ${orderId} stands there twice`),
  ];
}

/** Told once each; a mail that may have been taken when its sender died stands as a doubt and is not sent again. */
function mailsOnce({ ledger, mailRows }: Evidence): string[] {
  const arrived = sumBy(
    ledger.mails,
    ({ messageId }) => messageId ?? '',
    () => 1,
  );
  const facts = sumBy(
    mailRows,
    ({ orderId, kind, parcelId }) => `${kind} ${orderId} ${parcelId}`,
    () => 1,
  );
  const idOf = (messageId: string): string => messageId.replace(/^<|@.*$/g, '');
  const rows = new Map(mailRows.map((row) => [row.id, row]));
  return [
    ...[...arrived].flatMap(([messageId, times]) =>
      times > 1 ? [`${messageId} arrived ${times} times`] : [],
    ),
    ...[...facts].flatMap(([fact, times]) => (times > 1 ? [`${fact} was decided ${times} times`] : [])),
    ...mailRows.flatMap(({ id, state, kind }) =>
      state === 'sent' && ![...arrived.keys()].some((messageId) => idOf(messageId) === id)
        ? [`${kind} ${id} counts as sent and never arrived`]
        : [],
    ),
    ...[...arrived.keys()].flatMap((messageId) =>
      ['sent', 'doubt'].includes(rows.get(idOf(messageId))?.state ?? '')
        ? []
        : [`${messageId} arrived and counts as ${rows.get(idOf(messageId))?.state}`],
    ),
  ];
}

/** Errors that are answers to what the suite does, or name what was decided about them. */
const EXPECTED = new Set([
  'the supplier may have a purchase twice',
  'a mail was not sent for sure',
  'partition halted: see the README, "When NATS lost its data"',
  'the bus refuses an outbox row',
]);

interface LogLine {
  readonly level?: unknown;
  readonly msg?: unknown;
  readonly err?: unknown;
}

function lineProblem(line: string): string | null {
  if (line === '') return null;
  let parsed: LogLine;
  try {
    parsed = JSON.parse(line);
  } catch {
    // A service that finds no database says so in words and is started again; a kill cuts the last line.
    return /cannot start|PostgreSQL does not answer|NATS refuses|run the set-up step|^\{/.test(line)
      ? null
      : line;
  }
  return parsed.level === 'error' && !EXPECTED.has(String(parsed.msg))
    ? `${String(parsed.msg)} ${JSON.stringify(parsed.err ?? '')}`
    : null;
}

const isOurs = (name: string): boolean => !/^(nats|postgres|sandbox)/.test(name);

function unhandled({ logs, strangeEnds }: Evidence): string[] {
  const problems = logs
    .filter(({ name }) => isOurs(name))
    .flatMap(({ name, text }) =>
      text.split('\n').flatMap((line) => {
        const problem = lineProblem(line);
        return problem === null ? [] : [`${name}: ${problem}`];
      }),
    );
  const violations = logs
    .filter(({ name }) => name.startsWith('nats'))
    .flatMap(({ text }) => text.split('\n').filter((line) => line.includes('Violation')));
  return [...strangeEnds, ...problems, ...violations];
}

const toldOn = ({ logs, forbidden }: Evidence): string[] =>
  logs
    .filter(({ name }) => !name.startsWith('sandbox'))
    .flatMap(({ name, text }) =>
      forbidden
        .filter((secret) => text.includes(secret))
        .map((secret) => `${name} holds ${secret.slice(0, 4)}…`),
    );

/** Every promise of the house, each for itself. */
export const verdictsOf = (evidence: Evidence): Verdict[] => [
  { claim: 'every order is complete or in a named hold', against: ordersEnded(evidence) },
  {
    claim: 'units bought at the suppliers are the units ordered, less the explained ones',
    against: boughtUnits(evidence),
  },
  { claim: 'no supplier order was bought or paid more than once', against: boughtOnce(evidence) },
  { claim: 'the shop shows the right units as fulfilled', against: fulfilledUnits(evidence) },
  { claim: 'each parcel’s tracking is in the shop once', against: shownTracking(evidence) },
  { claim: 'each mail arrived once', against: mailsOnce(evidence) },
  { claim: 'inbox, outbox and timers hold nothing unhandled', against: evidence.leftovers },
  {
    claim: 'no message was taken twice',
    against: evidence.takenTwice,
  },
  { claim: 'nobody wrote to a partition that was another’s', against: evidence.setBack },
  {
    claim: 'units add up, and every timeline leads to the stored state',
    against: evidence.differences,
  },
  { claim: 'no error that nobody handled', against: unhandled(evidence) },
  { claim: 'no secret and no personal data in any log', against: toldOn(evidence) },
];
