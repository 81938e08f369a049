import { SEND_NOTIFICATION, type SendNotification } from '../../contracts/commands/send-notification.ts';
import { type DeadlineName, quotedDelayMs, timerKey } from '../../contracts/deadlines.ts';
import { envelope } from '../../contracts/envelope.ts';
import type { ReceivedLine } from '../../contracts/events/order-received.ts';
import type { FactData } from '../../contracts/facts.ts';
import { notificationIdOf } from '../../contracts/ids.ts';
import { mailedBy } from '../../contracts/mail-settings.ts';
import type { Settings } from '../../contracts/settings.ts';
import { commandSubject, factSubject, type Lane } from '../../contracts/subjects.ts';
import type { SupplierName } from '../../contracts/vocabulary.ts';
import type { OutwardEffect } from '../../machines/order-actor.ts';
import type { BatchWrites, OrderLineRow } from '../store/batch-writes.ts';

export interface Carry {
  readonly writes: BatchWrites;
  readonly orderId: string;
  /** Message id of the event that led here. */
  readonly cause: string;
  /** Of the order after the step. */
  readonly version: number;
  readonly delays: Readonly<Record<DeadlineName, number>>;
  readonly settings: Settings;
  /** ISO instant for the messages. */
  readonly now: string;
  /** When the order came, as an ISO instant. */
  readonly orderCreatedAt: string;
  /** False: the API made it. */
  readonly hasShop: boolean;
  /** Where a purchase is made; undefined for whatever else has that id. */
  readonly supplierOf: (supplierOrderId: string) => SupplierName | undefined;
  /** Of the event: whatever follows from it belongs to its trace, its deadlines too. */
  readonly traceparent?: string | undefined;
}

/** Rows of `order_lines`, in the order of the body. */
export const lineRows = (orderId: string, lines: readonly ReceivedLine[]): OrderLineRow[] =>
  lines.map((line, position) => ({
    order_id: orderId,
    line_id: line.lineId,
    position,
    variant_id: line.variantId,
    product_id: line.productId,
    sku: line.sku,
    title: line.title,
    unit_price_minor: line.unitPriceMinor,
  }));

/** A null delay cancels. */
export function setTimer(
  writes: BatchWrites,
  orderId: string,
  timer: {
    deadline: DeadlineName;
    supplierOrderId?: string | undefined;
    parcelId?: string | undefined;
  },
  delayMs: number | null,
  traceparent?: string | undefined,
): void {
  const key = timerKey(timer);
  writes.timers.set(`${orderId}/${key}`, {
    order_id: orderId,
    key,
    deadline: timer.deadline,
    supplier_order_id: timer.supplierOrderId ?? null,
    parcel_id: timer.parcelId ?? null,
    delay_ms: delayMs,
    traceparent,
  });
}

type Of<Kind extends OutwardEffect['kind']> = Extract<OutwardEffect, { kind: Kind }>;

/** Takes the row of that id out again, if there is one: a statement takes no row twice. */
function takeOut<Row extends { readonly id: string }>(rows: Row[], id: string): Row | undefined {
  const place = rows.findIndex((row) => row.id === id);
  return place < 0 ? undefined : rows.splice(place, 1)[0];
}

function openHold(
  { holdId, reason, scope, evidence }: Of<'open_hold'>,
  { writes, orderId, orderCreatedAt }: Carry,
): void {
  const closed = writes.closedHolds.indexOf(holdId);
  if (closed >= 0) writes.closedHolds.splice(closed, 1);
  // One that gives way to another of the same name.
  takeOut(writes.openedHolds, holdId);
  writes.openedHolds.push({
    id: holdId,
    order_id: orderId,
    reason,
    line_id: scope.lineId ?? null,
    supplier_order_id: scope.supplierOrderId ?? null,
    evidence,
    order_created_at: orderCreatedAt,
  });
}

function createSupplierOrder(
  { supplierOrderId, part }: Of<'create_supplier_order'>,
  { writes, orderId, orderCreatedAt }: Carry,
): void {
  writes.newSupplierOrders.push({
    id: supplierOrderId,
    order_id: orderId,
    supplier: part.supplier,
    shipping_method: part.shippingMethod,
    ships_from: part.shipsFrom,
    expected_cost_minor: part.expectedCostMinor,
    currency: part.currency,
    is_quoted: part.isQuoted,
    quoted_for: part.quotedFor ?? null,
    order_created_at: orderCreatedAt,
    delivery_days: part.deliveryDays ?? null,
  });
  writes.supplierOrderLines.push(
    ...part.lines.map((line) => ({
      supplier_order_id: supplierOrderId,
      line_id: line.lineId,
      units: line.units,
      supplier_product_id: line.supplierProductId,
      supplier_variant_id: line.supplierVariantId,
      mapped_variant_id: line.mappedVariantId ?? null,
      supplier_units: line.supplierUnits,
      properties: line.properties ?? null,
    })),
  );
}

function saveQuote({ supplierOrderId, part, edits }: Of<'save_quote'>, { writes }: Carry): void {
  writes.quotes.push({
    id: supplierOrderId,
    shipping_method: part.shippingMethod,
    ships_from: part.shipsFrom,
    expected_cost_minor: part.expectedCostMinor,
    currency: part.currency,
    quoted_for: part.quotedFor ?? null,
    edits: edits ?? null,
  });
  // Of a bundle each article was named when it was sourced.
  const found = [...Map.groupBy(part.lines, ({ lineId }) => lineId).values()].filter(
    (articles) => articles.length === 1,
  );
  writes.quotedLines.push(
    ...found.flat().map((line) => ({
      supplier_order_id: supplierOrderId,
      line_id: line.lineId,
      supplier_variant_id: line.supplierVariantId,
      supplier_units: line.supplierUnits,
      edits: edits ?? null,
    })),
  );
}

function saveParcel({ parcel }: Of<'save_parcel'>, { writes, orderId, now }: Carry): void {
  const { parcelId: id } = parcel;
  const earlier = takeOut(writes.parcels, id);
  writes.parcels.push({
    id,
    order_id: orderId,
    supplier_order_id: parcel.supplierOrderId,
    state: parcel.state,
    tracking_number: parcel.trackingNumber,
    earlier_numbers: parcel.earlierNumbers.length === 0 ? null : parcel.earlierNumbers,
    last_mile_tracking_number: parcel.lastMileTrackingNumber,
    carrier: parcel.carrier,
    tracking_url: parcel.trackingUrl,
    units: parcel.units,
    left_at: earlier?.left_at ?? (parcel.hasLeft ? now : null),
  });
  writes.movedParcels.delete(id);
  writes.forgottenParcels.delete(id);
}

function moveParcel({ parcelId, state }: Of<'move_parcel'>, { writes }: Carry): void {
  const saved = writes.parcels.findIndex(({ id }) => id === parcelId);
  const row = writes.parcels[saved];
  if (row === undefined) writes.movedParcels.set(parcelId, state);
  else writes.parcels[saved] = { ...row, state };
}

function notify(effect: Of<'notify'>, index: number, carry: Carry): void {
  const { notification: kind, parcelId, on = 'shipped' } = effect;
  const { writes, orderId, settings, hasShop } = carry;
  const teller = mailedBy(settings, kind);
  // No shop tells of an order that it does not have.
  if (teller === 'nobody' || (teller === 'shop' && hasShop)) return;
  if (kind === 'parcel_shipped' && on !== settings.ORDER_MANAGER_SHIPPED_MAIL) return;
  const id = notificationIdOf(orderId, kind, parcelId ?? '');
  const digestMs = kind === 'parcel_shipped' ? settings.ORDER_MANAGER_DIGEST_SECONDS * 1_000 : 0;
  const bundle = digestMs === 0 ? null : `${kind}:${orderId}`;
  writes.notifications.push({
    id,
    order_id: orderId,
    kind,
    parcel_id: parcelId,
    about: null,
    bundle,
    delay_ms: digestMs,
  });
  // What waits for company is found by the notifier's own round.
  if (bundle !== null) return;
  const data: SendNotification = { orderId, notificationId: id };
  carryOut({ kind: 'command', service: 'notifier', verb: SEND_NOTIFICATION, id, data }, index, carry);
}

/** Message ids follow from the cause and the effect's place: a repeated batch says the same things under the same ids. */
function say(subject: string, type: string, data: unknown, index: number, carry: Carry): void {
  const { writes, orderId, cause, now, traceparent } = carry;
  const messageId = `${cause}:${index}`;
  const message = envelope({
    id: messageId,
    source: '/orders',
    type,
    subject: orderId,
    time: now,
    data,
    causationId: cause,
    traceparent,
  });
  writes.outbox.push({ messageId, subject, payload: JSON.stringify(message) });
}

/** Collects the rows and messages that the effect is. @param index its place in the step. */
export function carryOut(effect: OutwardEffect, index: number, carry: Carry): void {
  const { writes, orderId, version, delays, settings, supplierOf, traceparent } = carry;
  switch (effect.kind) {
    case 'command': {
      const { service, verb, id, data } = effect;
      const lane: Lane = (service === 'suppliers' ? supplierOf(id) : undefined) ?? service;
      say(commandSubject(lane, verb, id), `${service}.${verb}`, data, index, carry);
      return;
    }
    case 'fact': {
      const data: FactData = { orderId, version, ...effect.data };
      say(factSubject(effect.type), effect.type, data, index, carry);
      return;
    }
    case 'set_timer': {
      const { timer, quotedDays } = effect;
      const { deadline } = timer;
      const delayMs =
        quotedDays === undefined ? delays[deadline] : quotedDelayMs(settings, deadline, quotedDays);
      setTimer(writes, orderId, timer, delayMs, traceparent);
      return;
    }
    case 'cancel_timer':
      setTimer(writes, orderId, effect.timer, null);
      return;
    case 'open_hold':
      openHold(effect, carry);
      return;
    case 'close_hold':
      takeOut(writes.openedHolds, effect.holdId);
      writes.closedHolds.push(effect.holdId);
      return;
    case 'save_lines':
      writes.orderLines.push(...lineRows(orderId, effect.lines));
      return;
    case 'create_supplier_order':
      createSupplierOrder(effect, carry);
      return;
    case 'save_quote':
      saveQuote(effect, carry);
      return;
    case 'forget_quotes':
      writes.movedAway.push(orderId);
      return;
    case 'archive_order':
      writes.archived.push(orderId);
      return;
    case 'save_parcel':
      saveParcel(effect, carry);
      return;
    case 'forget_parcel':
      takeOut(writes.parcels, effect.parcelId);
      writes.movedParcels.delete(effect.parcelId);
      writes.forgottenParcels.add(effect.parcelId);
      return;
    case 'move_parcel':
      moveParcel(effect, carry);
      return;
    case 'notify':
      notify(effect, index, carry);
      return;
  }
}
