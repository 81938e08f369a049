import type { Compensation, OrderStateName, ParcelStateName, SupplierOrderStateName } from './vocabulary.ts';

export interface StateWords {
  /** Where it is. */
  readonly is: string;
  /** What leads on from here; empty where nothing does. */
  readonly next: string;
}

/** Every state of an order in plain words. */
export const ORDER_STATE_WORDS: Readonly<Record<OrderStateName, StateWords>> = {
  received: { is: 'The order was received.', next: 'It goes on as soon as nothing holds it.' },
  awaiting_payment: { is: 'The order waits to be paid.', next: 'The payment leads on to the grace period.' },
  grace: {
    is: 'The order is paid, and the customer has time to change their mind.',
    next: 'When the grace period is over, suppliers are sought.',
  },
  sourcing: {
    is: 'It is being found out who delivers each unit, and at what cost.',
    next: 'The answer leads on to the purchases.',
  },
  purchasing: {
    is: 'Purchases are being made.',
    next: 'When all of them are bought, the shipment is awaited.',
  },
  awaiting_shipment: {
    is: 'Everything is bought.',
    next: 'The suppliers ship; their news is asked for regularly.',
  },
  partially_shipped: {
    is: 'A part of the order is on its way.',
    next: 'The rest is shipped by its suppliers, as far as nothing holds it.',
  },
  shipped: { is: 'The whole order is on its way.', next: 'The carriers deliver it.' },
  partially_delivered: {
    is: 'A part of the order has arrived.',
    next: 'The rest is on its way, being bought or held.',
  },
  delivered: { is: 'The order is done.', next: '' },
  cancelling: {
    is: 'The order is being cancelled.',
    next: 'It is cancelled when the last purchase is given up; what cannot be given up goes on.',
  },
  cancelled: { is: 'The order is cancelled.', next: '' },
  refunded: { is: 'The order is refunded.', next: '' },
};

/** Every state of a supplier order in plain words. */
export const SUPPLIER_ORDER_STATE_WORDS: Readonly<Record<SupplierOrderStateName, StateWords>> = {
  draft: { is: 'is planned, nothing was said to the supplier', next: 'it is bought next' },
  placing: { is: 'is being placed at the supplier', next: 'the supplier’s answer is awaited' },
  outcome_unknown: { is: 'may or may not have been bought', next: 'it is looked up at the supplier' },
  awaiting_payment: { is: 'stands at the supplier, unpaid', next: 'it is paid next' },
  accepted: { is: 'is bought', next: 'the supplier prepares it' },
  processing: { is: 'is being prepared by the supplier', next: 'the supplier ships it' },
  partially_shipped: { is: 'is shipped in part', next: 'the supplier ships the rest' },
  shipped: { is: 'is on its way', next: 'the carrier delivers it' },
  delivered: { is: 'has arrived', next: '' },
  rejected: { is: 'was refused by the supplier', next: '' },
  cancelling: { is: 'is being cancelled at the supplier', next: 'the supplier says yes or no' },
  cancelled: { is: 'is cancelled', next: '' },
  lapsed: { is: 'ran out unpaid', next: '' },
};

/** Of parcels that do not simply travel or arrive: of one, and of several. */
export const PARCEL_WORDS: Partial<
  Readonly<Record<ParcelStateName, { readonly one: string; readonly several: string }>>
> = {
  available_for_pickup: { one: 'waits to be fetched', several: 'wait to be fetched' },
  attempt_failed: { one: 'could not be handed over', several: 'could not be handed over' },
  exception: { one: 'is held up', several: 'are held up' },
  delayed: { one: 'is late', several: 'are late' },
  lost: { one: 'is lost', several: 'are lost' },
  returned: { one: 'goes back to its sender', several: 'go back to their sender' },
};

/** Of a purchase of which nothing travels to the customer any more, and not all has arrived. */
export const GONE_ASTRAY: StateWords = {
  is: 'was shipped, and not all of it arrives',
  next: 'a person sees to the rest',
};

/** Of a shipped order with such purchases. */
export const ORDER_GONE_ASTRAY: StateWords = {
  is: 'The whole order was shipped, and not all of it arrives.',
  next: 'A person sees to what does not arrive; the carriers deliver what is on its way.',
};

/** Of an order whose grace period is over, and which the shop has not yet said is still as it was told. */
export const ASKED_IN_SHOP: StateWords = {
  is: 'The order is paid, and the shop is asked what it is now before anything is bought for it.',
  next: 'When the shop shows the order and who ships it, suppliers are sought.',
};

/** What leads on from there, and from the grace period, where nothing is bought before the shop has assessed the risk. */
export const ASKED_FOR_RISK =
  'When the shop shows the order, who ships it and its risk, suppliers are sought.';
export const GRACE_BEFORE_RISK =
  'When the grace period is over and the shop has assessed its risk, suppliers are sought.';

/** As `ASKED_IN_SHOP`, while more is to be bought for it. */
export const ASKED_FOR_MORE: StateWords = {
  is: 'The shop is asked what the order is now before anything more is bought for it.',
  next: ASKED_IN_SHOP.next,
};

/** Of an order that a hold alone keeps there after the grace period. */
export const GRACE_OVER: StateWords = {
  is: 'The order is paid, and the time to change their mind is over for the customer.',
  next: 'Suppliers are sought once nothing holds it any more.',
};

/** Of one that is to be sourced while nobody is asked. */
export const NOT_SOUGHT: StateWords = {
  is: 'It is not known yet who delivers what is not bought, and nobody is asked.',
  next: GRACE_OVER.next,
};

/** Of one that was being sourced, and of which nothing is left to be bought. */
export const NOTHING_SOUGHT: StateWords = {
  is: 'Nothing is left to be sourced for the order.',
  next: 'It goes on with its purchases once nothing holds it any more.',
};

/** Of one of which nothing is being bought just now, by what became of its purchases. */
export const PURCHASES_UNDONE: StateWords = {
  is: 'Purchases that nobody wants any more are being undone.',
  next: 'What cannot be given up goes on.',
};
export const PARTLY_BOUGHT: StateWords = {
  is: 'A part of the order is bought.',
  next: 'The suppliers ship what is bought.',
};
export const NOT_BOUGHT: StateWords = {
  is: 'Nothing of the order is bought.',
  next: GRACE_OVER.next,
};

/** Of one that was over, and to which units came since. */
export const ARRIVED = 'All that was bought of the order has arrived.';
export const ENDED_BEFORE = 'Nothing was wanted of the order for a while, and something is again.';

/** Of one of which a part has arrived, and nothing more arrives. */
export const REST_ASTRAY: StateWords = {
  is: 'A part of the order has arrived.',
  next: 'A person sees to what does not arrive.',
};

const SEES_TO_HOLD = 'a person sees to its hold first';

/** What leads on in its place from where a purchase waits for a person, and nothing of it goes on by itself. */
export const PERSON_WORDS: Partial<Readonly<Record<SupplierOrderStateName, string>>> = {
  draft: SEES_TO_HOLD,
  outcome_unknown: 'a person says what became of it',
  awaiting_payment: SEES_TO_HOLD,
  cancelling: SEES_TO_HOLD,
};

/** The same where the hold is not its own and stops the whole order. */
export const STOPPED_WORDS: Partial<Readonly<Record<SupplierOrderStateName, string>>> = {
  draft: 'it is bought once nothing holds the order any more',
  outcome_unknown: 'it is looked up once nothing holds the order any more',
  awaiting_payment: 'it is paid once nothing holds the order any more',
  cancelling: 'its supplier is asked again once nothing holds the order any more',
};

/** The same of one that we have no call, or no leave, to pay. */
export const PAID_BY_HAND = 'a person pays it there';

/** Of a purchase. */
export const UNWANTED = 'nobody wants it any more';

/** Said after it, of what stands there still after the supplier was asked. */
export const NOT_GIVEN_UP = 'the supplier did not give it up';

/** In its place, where the shop still wants units of a purchase that was called off, or all of them again. */
export const PARTLY_UNWANTED = 'a part of it is not wanted any more';
export const WANTED_AGAIN = 'it was not wanted for a while, and is wanted again';

/** What is done about a purchase that nobody wants any more. */
export const COMPENSATION_WORDS: Readonly<Record<Compensation, string>> = {
  given_up: 'nobody wants it any more, and it was given up before anything was bought',
  await_verdict: 'nobody wants it any more; once its outcome is known it is cancelled',
  cancel_at_supplier: 'nobody wants it any more; the unpaid order is cancelled at the supplier',
  ask_supplier: 'nobody wants it any more; the supplier is asked to give it up, else a person decides',
  too_late: 'nobody wants it any more, but it had left before that was known',
};

/** Of a supplier that takes no calls for now, or none that cost of its budget. */
export const PAUSE_WORDS = {
  calls: {
    is: (until: string) => `takes no calls until ${until}: what it has to be asked waits.`,
    over: 'takes calls again',
  },
  budget: {
    is: (until: string) =>
      `gives no quotes until ${until}, since its budget of calls is used up: what has to be quoted waits.`,
    over: 'gives quotes again',
  },
};
