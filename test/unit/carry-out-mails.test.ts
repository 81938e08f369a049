import { expect, test } from 'vitest';
import { deadlineDelays } from '../../contracts/deadlines.ts';
import { readSettings } from '../../contracts/settings.ts';
import type { OutwardEffect } from '../../machines/order-actor.ts';
import { carryOut } from '../../services/orders/carry-out.ts';
import { type BatchWrites, noWrites } from '../../services/store/batch-writes.ts';
import { ORDER_ID } from './builders.ts';

const NOW = '2026-11-26T12:00:00.000Z';
const DAY_MS = 86_400_000;

type Environment = Readonly<Record<string, string>>;

function writesFor(hasShop: boolean, environment: Environment, ...effects: OutwardEffect[]): BatchWrites {
  const settings = readSettings(environment);
  const writes = noWrites();
  const carry = {
    writes,
    orderId: ORDER_ID,
    cause: 'm1',
    version: 1,
    settings,
    now: NOW,
    orderCreatedAt: NOW,
    hasShop,
    supplierOf: () => undefined,
  };
  for (const [index, effect] of effects.entries())
    carryOut(effect, index, { ...carry, delays: deadlineDelays(settings) });
  return writes;
}

const writesOf = (environment: Environment, ...effects: OutwardEffect[]): BatchWrites =>
  writesFor(true, environment, ...effects);

const parcelId = 'pcl_1';
const CONFIRMED: OutwardEffect = { kind: 'notify', notification: 'order_confirmed', parcelId: null };
const SHIPPED: OutwardEffect = { kind: 'notify', notification: 'parcel_shipped', parcelId };
const SCANNED: OutwardEffect = { ...SHIPPED, on: 'first_scan' };
const kindsOf = ({ notifications }: BatchWrites): string[] => notifications.map(({ kind }) => kind);

test('a mail is a row and a command to send it', () => {
  const { notifications, outbox } = writesOf({}, CONFIRMED);
  expect(notifications).toMatchObject([
    { order_id: ORDER_ID, kind: 'order_confirmed', bundle: null, delay_ms: 0 },
  ]);
  expect(outbox.map(({ subject }) => subject)).toEqual([`oms.cmd.notifier.send.${notifications[0]!.id}`]);
});

test.each([{ ORDER_MANAGER_MAILS_BY: 'order_confirmed=shop' }, { ORDER_MANAGER_MAILS: 'parcel_shipped' }])(
  'what the shop mails, or nobody, leaves no row and no command: %j',
  (environment) => {
    const writes = writesOf(environment, CONFIRMED, SHIPPED);
    expect(kindsOf(writes)).toEqual(['parcel_shipped']);
    expect(writes.outbox).toHaveLength(1);
  },
);

test('an order that no shop has is told of by us, unless nobody is to tell', () => {
  const byShop = { ORDER_MANAGER_MAILS_BY: 'shop' };
  expect(kindsOf(writesOf(byShop, CONFIRMED))).toEqual([]);
  expect(kindsOf(writesFor(false, byShop, CONFIRMED))).toEqual(['order_confirmed']);
  expect(kindsOf(writesFor(false, { ORDER_MANAGER_MAILS: 'none' }, CONFIRMED))).toEqual([]);
});

test('the shipped mail is asked for at one of its two moments', () => {
  expect(kindsOf(writesOf({}, SHIPPED))).toEqual(['parcel_shipped']);
  expect(kindsOf(writesOf({}, SCANNED))).toEqual([]);
  const waiting = { ORDER_MANAGER_SHIPPED_MAIL: 'first_scan' };
  expect(kindsOf(writesOf(waiting, SHIPPED))).toEqual([]);
  expect(kindsOf(writesOf(waiting, SCANNED))).toEqual(['parcel_shipped']);
});

test('a shipped mail that waits for company belongs to its order’s bundle, and nobody is told to send it yet', () => {
  const { notifications, outbox } = writesOf({ ORDER_MANAGER_DIGEST_SECONDS: '3600' }, SHIPPED, CONFIRMED);
  expect(notifications).toMatchObject([
    { kind: 'parcel_shipped', bundle: `parcel_shipped:${ORDER_ID}`, delay_ms: 3_600_000 },
    { kind: 'order_confirmed', bundle: null, delay_ms: 0 },
  ]);
  expect(outbox).toHaveLength(1);
});

test('a lane’s time is what was quoted, or the setting, and the margin', () => {
  const timer = { deadline: 'transit', supplierOrderId: 'sup_ord_1', parcelId } as const;
  const delayOf = (quoted: { quotedDays?: number }): number | null | undefined => {
    const environment = { ORDER_MANAGER_DELIVERY_DAYS: '20', ORDER_MANAGER_DELAY_MARGIN_DAYS: '2' };
    const { timers } = writesOf(environment, { kind: 'set_timer', timer, ...quoted });
    return [...timers.values()][0]?.delay_ms;
  };
  expect(delayOf({ quotedDays: 12 })).toBe(14 * DAY_MS);
  expect(delayOf({})).toBe(22 * DAY_MS);
});

test('a purchase that does not arrive is held some days after its parcels are late, by what was quoted or the setting', () => {
  const timer = { deadline: 'deliver', supplierOrderId: 'sup_ord_1' } as const;
  const daysOf = (quoted: { quotedDays?: number }, environment = {}): number => {
    const { timers } = writesOf(environment, { kind: 'set_timer', timer, ...quoted });
    return ([...timers.values()][0]?.delay_ms ?? 0) / DAY_MS;
  };
  expect([daysOf({ quotedDays: 60 }), daysOf({ quotedDays: 7 }), daysOf({})]).toEqual([75, 22, 45]);
  expect(daysOf({}, { ORDER_MANAGER_DELIVERY_DAYS: '20' })).toBe(35);
});

const saved = (state: 'announced' | 'first_scan' | 'in_transit'): OutwardEffect => ({
  kind: 'save_parcel',
  parcel: {
    parcelId,
    supplierOrderId: 'sup_ord_1',
    state,
    trackingNumber: 'T1',
    earlierNumbers: [],
    lastMileTrackingNumber: null,
    carrier: null,
    trackingUrl: null,
    units: { 1: 1 },
    hasLeft: state !== 'announced',
  },
});
const moved: OutwardEffect = { kind: 'move_parcel', parcelId, state: 'delayed' };

test('within a batch the last word on a parcel counts, whether it was seen or only moved', () => {
  expect(writesOf({}, moved)).toMatchObject({ parcels: [], movedParcels: new Map([[parcelId, 'delayed']]) });
  const later = writesOf({}, moved, saved('in_transit'));
  expect(later.parcels).toMatchObject([{ state: 'in_transit', left_at: NOW }]);
  expect(later.movedParcels.size).toBe(0);
  const late = writesOf({}, saved('in_transit'), moved);
  expect(late.parcels).toMatchObject([{ state: 'delayed', left_at: NOW }]);
  expect(late.movedParcels.size).toBe(0);
});

test('within a batch a label is forgotten, or saved again, as was said last', () => {
  const forgotten: OutwardEffect = { kind: 'forget_parcel', parcelId };
  const gone = writesOf({}, saved('announced'), forgotten);
  expect(gone).toMatchObject({ parcels: [], forgottenParcels: new Set([parcelId]) });
  const back = writesOf({}, forgotten, saved('announced'));
  expect(back.parcels).toMatchObject([{ id: parcelId }]);
  expect(back.forgottenParcels.size).toBe(0);
});

test('a parcel has left from the first time that it is seen on its way', () => {
  expect(writesOf({}, saved('announced')).parcels).toMatchObject([{ left_at: null }]);
  expect(writesOf({}, saved('announced'), saved('first_scan')).parcels).toMatchObject([{ left_at: NOW }]);
});
