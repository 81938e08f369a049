import type { Evidence, HoldReason } from './vocabulary.ts';

export interface HoldWords {
  /** What is the matter, in one sentence. */
  readonly means: string;
  /** What usually mends it. */
  readonly mend: string;
  /** When it goes away. */
  readonly release: string;
}

const BY_HAND = 'a person releases it';
const BY_MAPPING = `by itself, when the mapping of its line is put anew (a draft keeps its articles until PUT /supplier-orders/{id} names others), or when none of its units waits to be bought any more; else ${BY_HAND}`;
const BY_HAND_OR_SHOP = `${BY_HAND}; or by itself, where the shop let nobody in (refusedBy, with status 401, 402, 404, 423, 430 or one of 3xx, or during login) and answers again, or has given the scope that was missing`;
const UNTIL_OVER = `${BY_HAND}; or by itself, where a state at the supplier was its cause and is over`;
/** Held for them, a purchase may also be a draft still, or paid long since. */
const SAY_IN_DOUBT =
  'while the purchase is in doubt (outcome_unknown), name the order that it has become with POST /supplier-orders/{id}/adopt, or say that there is none with POST /supplier-orders/{id}/not-bought';
const BY_WORD = `by itself, when a purchase in doubt is adopted or said not to be there; else ${BY_HAND}`;

/** Every hold reason in plain words; those of a single hold are said by {@link holdWordsOf}. */
export const HOLD_WORDS: Readonly<Record<HoldReason, HoldWords>> = {
  payment_pending: {
    means: 'the order, or a purchase for it, is not paid',
    mend: 'wait for the payment, ask the customer for it, or mark the order as paid in the shop: before, nothing is bought in awaiting_payment, whoever releases this; where the payment fell back after sourcing began, a release goes on buying; that an order without a shop is paid is said with PUT /orders/{id} (payment); what the evidence says of a supplier is paid on its site',
    release: 'by itself, when the shop or the supplier says that it is paid; else a person releases it',
  },
  fraud_review: {
    means: 'the payment may be fraudulent',
    mend: 'look at the order in the shop and decide whether to serve it',
    release: 'by itself, when the shop finds it less risky; else a person releases it',
  },
  unmapped_line: {
    means: 'nobody said which supplier article stands behind this article of the shop',
    mend: 'put a product mapping for its variant, or buy the units by hand with POST /supplier-orders, by line_id where the line has no SKU',
    release: 'by itself, when the mapping is put; or when its units are bought by hand',
  },
  mapping_changed: {
    means: 'the supplier article is gone, or is not the one that was meant any more',
    mend: 'choose the article anew: in the product mapping, or in the draft of the purchase',
    release: BY_MAPPING,
  },
  out_of_stock: {
    means: 'the supplier has too little of an article',
    mend: 'wait for stock, or name another candidate in the product mapping',
    release: BY_MAPPING,
  },
  not_shippable: {
    means: 'the supplier does not ship this to the destination',
    mend: 'name another candidate or shipping method for that country',
    release: BY_MAPPING,
  },
  address_invalid: {
    means: 'the shipping address is not complete or not usable',
    mend: 'put the right address with PUT /orders/{id}, or mend it in the shop',
    release:
      'by itself, when an address is put here, or a complete one arrives from the shop; after a refusal of the supplier the first, or by a person',
  },
  phone_invalid: {
    means: 'the supplier needs a telephone number that the carrier can call',
    mend: 'put it with PUT /orders/{id} (contact.phone)',
    release: BY_HAND,
  },
  tax_id_missing: {
    means: 'customs of the destination want a tax number, or another datum, of the receiver',
    mend: 'ask the customer for it and put it with PUT /orders/{id} (customs), or add it to the order in the shop',
    release: BY_HAND,
  },
  margin_below_floor: {
    means: 'buying costs so much that too little would be left',
    mend: 'find a cheaper candidate, or accept the margin',
    release: BY_HAND,
  },
  cost_above_cap: {
    means: 'the purchase costs more than is allowed or was expected',
    mend: 'compare the amounts in the evidence, then raise the cap or choose another candidate',
    release: BY_HAND,
  },
  daily_cap_reached: {
    means: 'the money allowed for one day is spent',
    mend: 'wait for the next day (UTC), or raise the cap',
    release: BY_HAND,
  },
  supplier_paused: {
    means: 'purchases at this supplier are switched off here',
    mend: 'where the evidence names a switch, resume with POST /purchasing/resume or POST /suppliers/{supplier}/resume; else set its mode to live and its credentials, then release',
    release: `by itself, when what was paused is resumed; else ${BY_HAND}`,
  },
  credentials_expired: {
    means:
      'the supplier, or the shop where the evidence says so (refusedBy), does not accept our credentials',
    mend: 'renew them in the settings',
    release: BY_HAND_OR_SHOP,
  },
  quota_exhausted: {
    means: 'the supplier takes no more calls for now',
    mend: 'wait for its limit to be renewed, or ask the supplier for a higher one',
    release: BY_HAND,
  },
  insufficient_funds: {
    means: 'the account at the supplier has too little money',
    mend: 'top it up',
    release: BY_HAND,
  },
  outcome_unknown: {
    means: 'nobody knows whether the purchase was made',
    mend: `look for our reference on the supplier’s site before anything is bought again; ${SAY_IN_DOUBT}`,
    release: BY_WORD,
  },
  account_risk: {
    means:
      'the supplier, or the shop where the evidence says so (refusedBy), has limited or blocked the account',
    mend: 'speak with the supplier, or mend the account of the shop',
    release: BY_HAND_OR_SHOP,
  },
  duplicate_suspected: {
    means: 'the supplier may have this purchase twice',
    mend: `look for our reference on the supplier’s site and give up the surplus one; ${SAY_IN_DOUBT}`,
    release: BY_WORD,
  },
  fulfillment_not_ours: {
    means:
      'the shop gave these units to somebody else to deliver, has no carrier bring them, or does not let us ship them now',
    mend: 'see the order in the shop: give them back to this location, wait for their day, grant the scope that is missing, or leave them to who ships them, and cancel what is bought of them with DELETE /supplier-orders/{id}',
    release:
      'by itself, when the shop lets us ship them, or when what was shipped there turns out to be the parcel of this purchase; else a person releases it: a parcel on its way is shown again then, or let be where the shop has nothing left of it to fulfil',
  },
  customer_edit_pending: {
    means: 'the order was changed or cancelled after buying began',
    mend: 'see what is undone already, settle the rest with supplier and customer, then release',
    release:
      'by itself, when all of an order that is off could be cancelled, or where the address is again the one that the purchase was sent with; else a person releases it',
  },
  supplier_rejected: {
    means: 'the supplier refused, or took the order and it is held back',
    mend: 'read its answer in the evidence and mend what it names',
    release: UNTIL_OVER,
  },
  supplier_cancelled: {
    means: 'the supplier cancelled a purchase',
    mend: 'find out why; a release sources its units again, but for those that a carrier has: they go on, and what does not arrive is refunded in the shop or bought on the supplier’s site',
    release: UNTIL_OVER,
  },
  overdue: {
    means: 'something takes longer than it should',
    mend: 'ask whoever it waits for',
    release:
      'by itself, when what was waited for comes, or is not waited for any more; else a person releases it, and the whole time is waited again',
  },
  operator: {
    means: 'a person, or a rule that needs one, stopped it',
    mend: 'read the note and the evidence, and do what they ask for',
    release: UNTIL_OVER,
  },
};

/** Of what the shop holds by itself: its reasons sound like ours, and nothing but its own release mends them. */
const HELD_IN_SHOP: HoldWords = {
  means: 'the shop holds it, for the reason that the evidence names (heldInShop)',
  mend: 'see to that reason in the shop, and release the hold there',
  release: `by itself, when the shop holds it no more; else ${BY_HAND}, and it is held again when the shop is next read`,
};

/** What to say of a hold that was opened on these facts. */
export const holdWordsOf = (reason: HoldReason, { heldInShop }: Evidence): HoldWords =>
  // Those words are about the shop already, and say more.
  (heldInShop ?? '') === '' || reason === 'fulfillment_not_ours' ? HOLD_WORDS[reason] : HELD_IN_SHOP;
