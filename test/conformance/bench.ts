import type { SupplierName } from '../../contracts/vocabulary.ts';
import type { Article, OrderKey, PushMessage, Recipient } from '../../services/suppliers/adapter.ts';
import type { AdapterParts } from '../../services/suppliers/adapter-parts.ts';

/** Calls of an adapter that the kit disturbs, each by the request that decides it. */
export type Deed = 'quote' | 'place' | 'pay';

/** `*_before`: nothing has happened at the supplier; `*_after` and `garbage` (with HTTP 200): the effect took place. */
export type Misfortune =
  | 'error_before'
  | 'error_after'
  | 'no_answer_before'
  | 'no_answer_after'
  | 'garbage'
  | 'rate_limit';

/** One order in the supplier's own book. */
export interface BookedOrder {
  readonly isCancelled: boolean;
  readonly paidCount: number;
}

/** How far orders get by themselves that are paid from now on. */
export type Pace = 'processing' | 'shipped' | 'delivered';

/** How pushes come: as they should, each twice, or later ones before earlier ones. */
export type PushManner = 'once' | 'doubled' | 'swapped';

/**
 * One supplier's sandbox under the hands of the kit, made anew for every test. It turns switches and looks into the
 * supplier's book; it never calls the adapter.
 */
export interface Bench {
  /** Variables with which the adapter finds the sandbox. */
  readonly environment: Readonly<Record<string, string>>;
  /** Two that may be bought together, out of the warehouse in `shipsFrom`; no product but theirs is needed. */
  readonly articles: readonly [Article, Article];
  readonly shipsFrom: string;
  /** One that the supplier offers for the articles to the recipient. */
  readonly shippingMethod: string;
  /** Somebody in the United States whom nothing has to be mended at. */
  readonly recipient: Recipient;
  /** Finds the product of the first article. */
  readonly searchWords: string;
  /** An id that no product has, in the supplier's own shape. */
  readonly unknownProductId: string;

  /** What a person has to do once, as giving consent. Nothing where the adapter logs in by itself. */
  connect(parts: AdapterParts): Promise<void>;
  /** Everything that was ever bought under our reference. */
  book(callerRef: string): Promise<readonly BookedOrder[]>;
  /** Befalls the next call of that kind, and only that. */
  spoil(deed: Deed, misfortune: Misfortune): Promise<void>;
  change(article: Article, change: { readonly priceMinor?: number; readonly stock?: number }): Promise<void>;
  setPace(pace: Pace): Promise<void>;
  /** The owner pays on the supplier's site; used where `payment` is `by_hand`. */
  payByHand(order: OrderKey): Promise<void>;
  /** Look-ups show a status that no document names. */
  showOddStatus(order: OrderKey): Promise<void>;
  /** Orders of several units that are paid from now on leave in two parcels. */
  splitParcels(): Promise<void>;
  /** Look-ups do not know new orders; `hide: false` ends it for those created afterwards. */
  hideNewOrders(hide: boolean): Promise<void>;
  /** The readings of a repeated reference under which the supplier keeps its word, by name; each turns its switch. */
  readonly repetitions: Readonly<Record<string, () => Promise<void>>>;
  /** The access token dies at the supplier; what renews it lives. */
  expireToken(): Promise<void>;
  /** Uses the account's budget of calls up, or bans it for a while: `quote` is refused until it is over. */
  endQuota(): Promise<void>;
  /** Leaves too little money; used where `payment` is `by_call`. */
  emptyBalance(): Promise<void>;
  /** Sends pushes there; where `pushes` is `by_call` the adapter registers for them itself, and this only turns the manner. */
  sendPushes(url: string, manner: PushManner): Promise<void>;
  /** A message of the supplier's, signed with another key than its own. */
  signedByAnother(message: PushMessage): PushMessage;
  /** What the supplier sends to try an address; null: it sends nothing but signed news. */
  readonly probe: PushMessage | null;
}

/** One way of using a supplier: most have one, some pay in two ways. */
export interface BenchSetup {
  readonly supplier: SupplierName;
  readonly name: string;
  start(): Promise<Bench>;
}
