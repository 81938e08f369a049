import { z } from 'zod';
import { callPatienceMs } from './call-patience.ts';
import { DAY_MS } from './durations.ts';
import type { Settings } from './settings.ts';

/** Every wait of the machines by name, with what happens when it is over. */
export const DEADLINES = {
  payment: 'an unpaid order is held as overdue',
  grace: 'the customer had time to change their mind: sourcing starts',
  verify: 'the shop is asked again what the order is now',
  sourcing: 'sourcing is asked for again',
  buy: 'the purchase is asked for again',
  placing: 'a purchase call that never reported back is in doubt',
  look_up: 'the doubtful purchase is looked up again',
  pay: 'the payment is asked for again, after a re-read',
  cancel: 'the supplier is asked again to give the order up',
  cancelling: 'a cancel that comes to no end is held as overdue',
  ship: 'a bought order that does not ship is held as overdue',
  deliver: 'what has not arrived twelve days after it is late is held as overdue',
  fulfill: 'the shop is asked again to take the fulfilment',
  transit: 'a parcel that should have arrived is delayed, and the customer is told',
} as const;

export const DeadlineName = z.enum(Object.keys(DEADLINES) as [keyof typeof DEADLINES]);
export type DeadlineName = keyof typeof DEADLINES;

export const TIMER_ELAPSED = 'timer.elapsed';
export const TimerElapsed = z.object({
  orderId: z.string(),
  deadline: DeadlineName,
  supplierOrderId: z.string().optional(),
  parcelId: z.string().optional(),
});
export type TimerElapsed = z.infer<typeof TimerElapsed>;

/** Identifies a timer within its order; setting the same key again replaces it. */
export const timerKey = (timer: Omit<TimerElapsed, 'orderId'>): string =>
  [timer.deadline, timer.supplierOrderId, timer.parcelId].filter((part) => part !== undefined).join(':');

/** How long a parcel may travel before it is late. @param quotedDays of its lane, from the supplier's door. */
const transitMs = (settings: Pick<Settings, 'ORDER_MANAGER_DELAY_MARGIN_DAYS'>, quotedDays: number): number =>
  (quotedDays + settings.ORDER_MANAGER_DELAY_MARGIN_DAYS) * DAY_MS;

/** A late parcel mostly comes some days later: only what is missing for so long is a person's matter. */
const MISSED_MS = 12 * DAY_MS;

/** How long all parcels of a purchase may travel before it is held. @param quotedDays as in `transitMs`. */
const deliverMs = (settings: Pick<Settings, 'ORDER_MANAGER_DELAY_MARGIN_DAYS'>, quotedDays: number): number =>
  transitMs(settings, quotedDays) + MISSED_MS;

/** Of a wait that goes by what the supplier quoted. */
export const quotedDelayMs = (
  settings: Pick<Settings, 'ORDER_MANAGER_DELAY_MARGIN_DAYS'>,
  deadline: DeadlineName,
  quotedDays: number,
): number => (deadline === 'deliver' ? deliverMs : transitMs)(settings, quotedDays);

/** How long each wait takes, in milliseconds, under these settings. */
export const deadlineDelays = (settings: Settings): Readonly<Record<DeadlineName, number>> => ({
  payment: 7 * DAY_MS,
  grace: settings.ORDER_MANAGER_GRACE_SECONDS * 1_000,
  verify: settings.ORDER_MANAGER_RETRY_SECONDS * 1_000,
  sourcing: settings.ORDER_MANAGER_RETRY_SECONDS * 1_000,
  buy: settings.ORDER_MANAGER_RETRY_SECONDS * 1_000,
  // Longer than the purchase call's own timeout, so that only a dead process can miss it.
  placing: callPatienceMs(settings) * 2 + 5_000,
  look_up: settings.ORDER_MANAGER_DOUBT_GRACE_SECONDS * 1_000,
  pay: settings.ORDER_MANAGER_RETRY_SECONDS * 1_000,
  cancel: settings.ORDER_MANAGER_RETRY_SECONDS * 1_000,
  cancelling: DAY_MS,
  ship: 10 * DAY_MS,
  deliver: deliverMs(settings, settings.ORDER_MANAGER_DELIVERY_DAYS),
  fulfill: settings.ORDER_MANAGER_RETRY_SECONDS * 1_000,
  transit: transitMs(settings, settings.ORDER_MANAGER_DELIVERY_DAYS),
});
