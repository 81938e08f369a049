import type { SupplierOrderObserved } from '../../contracts/events/supplier-order-observed.ts';
import type { ProductPage, SupplierProduct } from '../../contracts/resources/supplier-product.ts';
import type { HoldReason, SupplierName } from '../../contracts/vocabulary.ts';

/** What a supplier's API can do. The core assumes nothing that is not said here. */
export interface SupplierCapabilities {
  /** `lookUp` finds an order by our own reference. */
  readonly looksUpByReference: boolean;
  /**
   * For this long after the first try the supplier promises that the very same `place` cannot buy twice; null: no such
   * promise. It is a promise only: the core repeats once, and a second doubt is a matter for a person.
   */
  readonly repeatableForMs: number | null;
  /**
   * `by_call`: `place` leaves the order unpaid and `pay` spends the money. `with_order`: `place` spends it at once where
   * it can. `by_hand`: no call pays; a person does on the supplier's site, and `status` shows it.
   */
  readonly payment: 'by_call' | 'with_order' | 'by_hand';
  /** Orders per `status` call. */
  readonly statusBatchSize: number;
  /** `cancel` gives up an order that is not paid yet. */
  readonly cancelsBeforePayment: boolean;
  /**
   * Lines of different articles may share one purchase. Where not, each is a supplier order of its own; those of the same
   * articles share one everywhere, in which an article then stands once for each line.
   */
  readonly combinesLines: boolean;
  /** How its push messages come to us: we ask for them by `registerPush`, a person does on its site, or there are none. */
  readonly pushes: 'by_call' | 'by_hand' | 'none';
  /** Ships from warehouses in several countries. Those of one country are one. */
  readonly hasWarehouses: boolean;
}

export interface Destination {
  readonly countryCode: string;
  readonly zip: string;
}

export interface Article {
  readonly supplierProductId: string;
  readonly supplierVariantId: string;
  /** Pieces at the supplier. */
  readonly units: number;
}

export interface QuoteRequest {
  readonly destination: Destination;
  readonly shipsFrom: string;
  readonly articles: readonly Article[];
}

export interface ShippingOption {
  /** The supplier's own name, sent back verbatim when placing. */
  readonly shippingMethod: string;
  /** All that shipping costs: freight, tax and clearance together. */
  readonly costMinor: number;
  readonly deliveryDays: { readonly min: number; readonly max: number } | null;
  /** The supplier says that its parcels cannot be followed: taken only by name, or where there is no other. */
  readonly isUntracked?: true;
}

/** An article as it is now, by what the quote had to read anyway. */
export interface ArticleNow {
  readonly unitPriceMinor: number;
  /** Pieces to be had in the wanted warehouse; null when the supplier does not say. */
  readonly stock: number | null;
  /**
   * Names and chosen values of its options, as `Color: Black`; empty when there is nothing to choose. Where the names are
   * not shown now, the values in one text, as `Black-M`.
   */
  readonly optionLabels: readonly string[];
  /**
   * The supplier's own id for it, under which its orders are read again; absent: as it stood in the request. `place`
   * takes either.
   */
  readonly variantId?: string;
}

/** No option: the goods cannot go there. Sorted by cost, cheapest first. */
export interface Quote {
  readonly currency: string;
  readonly goodsMinor: number;
  readonly options: readonly ShippingOption[];
  /** By `supplierVariantId`, as it stood in the request. */
  readonly articles: ReadonlyMap<string, ArticleNow>;
}

export interface Recipient {
  readonly name: string;
  readonly company: string;
  readonly address1: string;
  readonly address2: string;
  readonly city: string;
  readonly province: string;
  readonly zip: string;
  readonly countryCode: string;
  readonly phone: string;
  readonly email: string;
  readonly taxId: string;
  /** ISO date; absent where nobody told it. */
  readonly birthday?: string;
  /** Code of a Saudi National Address; absent where nobody told it. */
  readonly nationalAddress?: string;
}

export type RecipientField = keyof Recipient;

/** What a supplier would make of a recipient. Texts of the recipient stand in `repairs` only. */
export interface RecipientCheck {
  /**
   * Any of these stops the purchase. `problem` is for people and repeats nothing of the recipient. Who may go on without
   * what customs want is for a person: `place` refuses for the other reasons only.
   */
  readonly problems: readonly {
    readonly field: RecipientField;
    readonly reason: Extract<HoldReason, 'address_invalid' | 'phone_invalid' | 'tax_id_missing'>;
    readonly problem: string;
  }[];
  /** Lossless changes that are sent instead, as transliterated letters or a phone number without its blanks. */
  readonly repairs: readonly { readonly field: RecipientField; readonly from: string; readonly to: string }[];
}

export interface PlaceRequest {
  /** Ours, the same for every attempt of one supplier order. At most 50 characters. */
  readonly callerRef: string;
  readonly recipient: Recipient;
  readonly shipsFrom: string;
  readonly shippingMethod: string;
  readonly lines: readonly (Article & { readonly lineId: string })[];
  /** The most that all of it may cost. Whoever pays `with_order` compares before sending: `price_changed`, `sent: false`. */
  readonly ceilingMinor: number;
  readonly currency: string;
}

/** Which article of the supplier stands behind a line of a placed order. */
export interface PlacedLine {
  readonly lineId: string;
  readonly supplierVariantId: string;
  /** Pieces of it that were ordered: contents that name an article of two lines are spread over both, or left unsaid. */
  readonly supplierUnits?: number;
}

/**
 * One placed order by both its names. `supplierReference` is opaque to the core: where one call makes several orders at
 * the supplier it names them all, separated by commas. Which of the names a supplier's reads answer to is the adapter's business; where our
 * own reference may stand for two orders, `supplierReference` says which one is meant.
 */
export interface OrderKey {
  readonly supplierReference: string;
  /** As in the `PlaceRequest`. */
  readonly callerRef: string;
  /** Where the caller knows them, so that parcels can say what they hold. */
  readonly lines?: readonly PlacedLine[];
}

export interface PlacedOrder {
  readonly supplierReference: string;
  readonly amountMinor: number | null;
  readonly currency: string;
  /** Null where it is shown in a state that nobody knows: it is neither paid for nor taken for paid. */
  readonly isPaid: boolean | null;
  /** Why it must not be paid yet, without the recipient: in the supplier's own words, where it will not go on with it. */
  readonly heldBack?: string;
}

export interface FoundOrder extends PlacedOrder {
  readonly callerRef: string;
  readonly isCancelled: boolean;
  readonly articles: readonly { readonly supplierVariantId: string; readonly units: number }[];
  /** ISO instant; null where the supplier names none that can be read. */
  readonly createdAt: string | null;
  /** ISO date and time without a zone, where the supplier names them so: nobody can tell which hour it was here. */
  readonly createdLocally?: string | undefined;
}

export interface PaymentDue {
  /** `unclear`: in a state that nobody knows, so it is neither paid for nor taken for paid. */
  readonly state: 'due' | 'paid' | 'cancelled' | 'unclear';
  /** The supplier's name for a state that is unclear. */
  readonly shownAs?: string;
  readonly amountMinor: number | null;
  readonly currency: string;
  /** What the prepaid account holds, in the same currency; null where there is none, it was not read or needs no reading. */
  readonly balanceMinor: number | null;
  /** ISO instant after which the supplier closes the unpaid order; absent or null where it does not say. */
  readonly payUntil?: string | null;
  /** How long an unpaid order lives, where the supplier says only that: nobody can tell the instant. */
  readonly payWithinSeconds?: number;
}

/** `units` of its parcels are the supplier's pieces still, by our line ids. */
export interface ObservedStatus extends Pick<SupplierOrderObserved, 'parcels' | 'evidence' | 'attention'> {
  /** Null: nothing that is known here, so that what was known before still holds; `attention` says why. */
  readonly status: SupplierOrderObserved['status'] | null;
  /** What it costs, in the currency that it was quoted in, where `place` could not say so yet. */
  readonly amountMinor?: number;
}

export interface SearchRequest {
  readonly query: string;
  /** From 1. */
  readonly page: number;
  readonly limit: number;
  /** Where it shall be delivered: prices and availability depend on it. */
  readonly countryCode: string;
}

export interface ProductRequest {
  readonly supplierProductId: string;
  readonly countryCode: string;
}

/** A push message as it came; header names in lower case. */
export interface PushMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** More money that the supplier wants for an order that it has sold; a person pays it on its site. */
export interface Bill {
  readonly id: string;
  readonly amountMinor: number | null;
  readonly currency: string;
  /** False once it is paid or withdrawn. */
  readonly isOpen: boolean;
}

/**
 * What a push turned out to be. `probe`: the supplier tries the address and wants a yes; nothing in it is believed. `forged`: not
 * signed by the supplier. `unreadable`: signed, and in no form that we know. `news`: a hint about these orders, by any of their names; the truth is read afterwards.
 * `messageId` is the same for every repetition of the message.
 */
export type Push =
  | { readonly kind: 'probe' }
  | { readonly kind: 'forged' | 'unreadable' }
  | {
      readonly kind: 'news';
      readonly messageId: string;
      readonly topic: string;
      readonly references: readonly string[];
      /** For the orders that it names. */
      readonly bill?: Bill;
    };

/**
 * One supplier in its own dialect. Plain: patience (timeout, breaker, retry of reads) is composed around it. Every
 * method throws `SupplierError` and nothing else that it foresaw; amounts are minor units of the named currency.
 */
export interface SupplierAdapter {
  readonly name: SupplierName;
  readonly capabilities: SupplierCapabilities;
  /** One page of products in the normal form. Safe to repeat. */
  search(request: SearchRequest, signal: AbortSignal): Promise<ProductPage>;
  /** One product with its variants, stock and shipping options. `not_found` when there is none. Safe to repeat. */
  product(request: ProductRequest, signal: AbortSignal): Promise<SupplierProduct>;
  /** What this supplier would make of the recipient. Asks nobody. */
  checkRecipient(recipient: Recipient): RecipientCheck;
  /** Refuses with `unavailable` when an article is gone or there is too little of it. Safe to repeat. */
  quote(request: QuoteRequest, signal: AbortSignal): Promise<Quote>;
  /**
   * Asks what the `place` that follows has to know, so that the time of that is left to the request that buys. What is not
   * known by then, or refused here, `place` asks for itself. Absent: it asks for nothing. Safe to repeat.
   */
  beforePlace?(request: PlaceRequest, signal: AbortSignal): Promise<void>;
  /** Never repeated on doubt: `unknown_outcome` means that it may have bought. */
  place(request: PlaceRequest, signal: AbortSignal): Promise<PlacedOrder>;
  /**
   * Every order under our reference; empty when the supplier says there is none. Safe to repeat. None of them was made
   * before the ISO instant `since`, for a supplier that only lists by date, and then all pages from there on have to be
   * read: whatever is missed is bought again. Absent: nobody can tell.
   */
  lookUp(callerRef: string, signal: AbortSignal, since?: string): Promise<readonly FoundOrder[]>;
  /**
   * Which of these references of ours stand at the supplier, by one call; at most `statusBatchSize` of them, null where it
   * refuses to be asked so. One that is left out is absent only if the same answer shows another that is known to stand.
   * Absent: there is no such call. Safe to repeat.
   */
  standing?(callerRefs: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string> | null>;
  /** Brings a placed order to where it can be paid and says what it costs now. Spends nothing; safe to repeat. */
  preparePayment(key: OrderKey, signal: AbortSignal): Promise<PaymentDue>;
  /** Spends the money. Never repeated on doubt. */
  pay(supplierReference: string, signal: AbortSignal): Promise<void>;
  /**
   * At most `statusBatchSize` orders. The answer is keyed by `supplierReference`; those that the supplier does not know,
   * or that could not be read in time while others were, are left out. Safe to repeat.
   */
  status(keys: readonly OrderKey[], signal: AbortSignal): Promise<ReadonlyMap<string, ObservedStatus>>;
  /**
   * Gives up an unpaid order; who returns says that it is. Asked for and not decided: `transient` with `outage: false`, and
   * it is called again.
   */
  cancel(key: OrderKey, signal: AbortSignal): Promise<void>;
  /** The order under one of the supplier's own references, null when it has none. Safe to repeat. */
  read(supplierReference: string, signal: AbortSignal): Promise<FoundOrder | null>;
  /** Verifies over the raw bytes, then says what it is about. Sends nothing; reads at most the stored token. */
  readPush(message: PushMessage): Promise<Push>;
  /** Asks the supplier to send its messages to this address. Only where `pushes` is `by_call`. Safe to repeat. */
  registerPush(callbackUrl: string, signal: AbortSignal): Promise<void>;
}
