import { DAY_MS } from '../../contracts/durations.ts';
import { trackingKeyOf } from '../../contracts/ids.ts';
import type { CustomerMail } from '../../contracts/vocabulary.ts';
import { formatCount, formatDate, formatMoney, formattingLocale } from './locale.ts';
import type { CustomerView, MailView } from './mail-shape.ts';

/** What is known of one parcel of the order. Units by line id. */
export interface ParcelFacts {
  readonly id: string;
  readonly carrier: string | null;
  readonly trackingNumber: string;
  readonly trackingUrl: string | null;
  readonly units: Readonly<Record<string, number>>;
  /** Null: it has a label and is still with the supplier. */
  readonly leftAtMs: number | null;
  /** It is there, or will never be. */
  readonly hasEnded: boolean;
  /** It was lost, or goes back. */
  readonly isAstray: boolean;
  /** The longest that the supplier quoted; null: it promised nothing. */
  readonly deliveryDays: number | null;
}

export interface OrderFacts {
  readonly orderName: string;
  readonly customerName: string | null;
  readonly locale: string | null;
  /** As the customer was asked for it; null: whoever made the order named no price. */
  readonly totalMinor: number | null;
  readonly currency: string;
  /** ISO, in the shop's own zone where a webhook told of the order first, otherwise in UTC. */
  readonly placedAt: string;
  /** Of the shop, as `Europe/Paris`; null: not known, or there is no shop. */
  readonly timeZone: string | null;
  readonly lines: readonly {
    readonly lineId: string;
    readonly title: string;
    readonly ordered: number;
    readonly cancelled: number;
    /** Units that others deliver. */
    readonly outside: number;
  }[];
  readonly parcels: readonly ParcelFacts[];
}

/** What is written in: how numbers and dates look, in which zone a day begins, and the instant of the mail. */
interface Writing {
  readonly locale: string;
  readonly timeZone: string | null;
  readonly now: Date;
}

/** A day that is over is no expectation any more. */
function expectedBy({ leftAtMs, deliveryDays }: ParcelFacts, { locale, timeZone, now }: Writing): string {
  if (leftAtMs === null || deliveryDays === null) return '';
  const isOver = leftAtMs + deliveryDays * DAY_MS <= now.getTime();
  return isOver ? '' : formatDate(new Date(leftAtMs), locale, timeZone, deliveryDays);
}

/** Of the units that the customer still gets, those that others do not deliver. */
const ourUnits = ({ ordered, cancelled, outside }: OrderFacts['lines'][number]): number =>
  ordered - cancelled - outside;

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
const unitsIn = (parcels: readonly ParcelFacts[], lineId: string): number =>
  sum(parcels.map(({ units }) => units[lineId] ?? 0));

function linesOf(
  { lines }: OrderFacts,
  { locale }: Writing,
  unitsOf: (line: OrderFacts['lines'][number]) => number,
): { title: string; units: string }[] {
  return lines.flatMap((line) => {
    const units = unitsOf(line);
    return units > 0 ? [{ title: line.title, units: formatCount(units, locale) }] : [];
  });
}

const numberOf = ({ trackingNumber }: ParcelFacts): string => trackingKeyOf(trackingNumber);

/**
 * Ids of the other parcels that travel under the number of one of these: suppliers put several purchases into one. How
 * such a parcel goes on is told once, with all that is in it.
 */
export function companionsOf({ parcels }: OrderFacts, parcelIds: readonly string[]): string[] {
  const numbers = new Set(parcels.filter(({ id }) => parcelIds.includes(id)).map(numberOf));
  return parcels
    .filter(({ id, leftAtMs, isAstray }) => !parcelIds.includes(id) && leftAtMs !== null && !isAstray)
    .filter((parcel) => numbers.has(numberOf(parcel)))
    .map(({ id }) => id);
}

function parcelsView(
  kind: Exclude<CustomerMail, 'order_confirmed'>,
  order: OrderFacts,
  parcelIds: readonly string[],
  writing: Writing,
): MailView<'parcel_shipped'> {
  const told = order.parcels.filter(({ id }) => parcelIds.includes(id));
  const gone = order.parcels.filter(({ id, leftAtMs }) => leftAtMs !== null || parcelIds.includes(id));
  const others = gone.filter(({ id, hasEnded }) => !hasEnded && !parcelIds.includes(id));
  const toShip = sum(order.lines.map(ourUnits));
  const byNumber = Map.groupBy(told, numberOf);
  return {
    orderName: order.orderName,
    customerName: order.customerName ?? '',
    parcels: [...byNumber.values()].flatMap(([parcel, ...more]) =>
      parcel === undefined
        ? []
        : [
            {
              lines: linesOf(order, writing, ({ lineId }) => unitsIn([parcel, ...more], lineId)),
              carrier: parcel.carrier ?? '',
              trackingNumber: parcel.trackingNumber,
              trackingUrl: parcel.trackingUrl ?? '',
              shippedOn:
                parcel.leftAtMs === null
                  ? ''
                  : formatDate(new Date(parcel.leftAtMs), writing.locale, writing.timeZone),
              // Who is told of a delay is promised no day.
              expectedBy: kind === 'parcel_delayed' ? '' : expectedBy(parcel, writing),
            },
          ],
    ),
    isSeveral: byNumber.size > 1,
    isPartial: sum(order.lines.map(({ lineId }) => unitsIn(told, lineId))) < toShip,
    rest: linesOf(order, writing, (line) => ourUnits(line) - unitsIn(gone, line.lineId)),
    areOthersUnderWay: order.lines.some(({ lineId }) => unitsIn(others, lineId) > 0),
  };
}

/**
 * What a customer's mail says, in words and numbers for `language`. Pure.
 * @param parcelIds of the parcels that the mail is about; empty for the confirmation.
 */
export function customerView(
  kind: CustomerMail,
  order: OrderFacts,
  parcelIds: readonly string[],
  { language, now }: { readonly language: string; readonly now: Date },
): CustomerView {
  const locale = formattingLocale(order.locale, language);
  const writing = { locale, timeZone: order.timeZone, now };
  if (kind !== 'order_confirmed') return { kind, view: parcelsView(kind, order, parcelIds, writing) };
  const view = {
    orderName: order.orderName,
    customerName: order.customerName ?? '',
    lines: linesOf(order, writing, ({ ordered, cancelled }) => ordered - cancelled),
    total: order.totalMinor === null ? '' : formatMoney(order.totalMinor, order.currency, locale),
    placedOn: formatDate(order.placedAt, locale, order.timeZone),
    hasParcels: order.lines.some((line) => ourUnits(line) > 0),
  };
  return { kind, view };
}
