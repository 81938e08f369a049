import { AppError } from '../../contracts/errors.ts';
import type { SupplierOrderObserved } from '../../contracts/events/supplier-order-observed.ts';
import type { Evidence, FailureClass, SupplierName } from '../../contracts/vocabulary.ts';

/** What a supplier's API can do. The core assumes nothing that is not said here. */
export interface SupplierCapabilities {
  /** `lookUp` finds an order by our own reference. */
  readonly looksUpByReference: boolean;
  /** `place` leaves the order unpaid; `pay` is a call of its own. */
  readonly paysLater: boolean;
  /** Orders per `status` call. */
  readonly statusBatchSize: number;
  readonly cancelsBeforePayment: boolean;
}

/** The class decides what happens next, never the supplier's text, which travels along in `evidence`. */
export class SupplierError extends AppError {
  readonly failureClass: FailureClass;
  readonly evidence: Evidence;

  constructor(failureClass: FailureClass, message: string, evidence: Evidence, cause?: unknown) {
    super('supplier_failed', message, {
      retryable: failureClass === 'transient' || failureClass === 'throttled',
      cause,
    });
    this.failureClass = failureClass;
    this.evidence = evidence;
  }
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
}

/** No option: the goods cannot go there. Sorted by cost, cheapest first. */
export interface Quote {
  readonly currency: string;
  readonly goodsMinor: number;
  readonly options: readonly ShippingOption[];
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
}

export interface PlaceRequest {
  /** Ours, the same for every attempt of one supplier order. At most 50 characters. */
  readonly callerRef: string;
  readonly recipient: Recipient;
  readonly shipsFrom: string;
  readonly shippingMethod: string;
  readonly lines: readonly (Article & { readonly lineId: string })[];
}

/**
 * One placed order by both its names. Which of them a supplier's reads answer to is the adapter's business; where our
 * own reference may stand for two orders, `supplierReference` says which one is meant.
 */
export interface OrderKey {
  readonly supplierReference: string;
  /** As in the `PlaceRequest`. */
  readonly callerRef: string;
}

export interface PlacedOrder {
  readonly supplierReference: string;
  readonly amountMinor: number | null;
  readonly currency: string;
  readonly isPaid: boolean;
}

export interface FoundOrder extends PlacedOrder {
  readonly callerRef: string;
  readonly isCancelled: boolean;
  readonly articles: readonly { readonly supplierVariantId: string; readonly units: number }[];
}

export interface PaymentDue {
  readonly state: 'due' | 'paid' | 'cancelled';
  readonly amountMinor: number | null;
  readonly currency: string;
}

export type ObservedStatus = Pick<SupplierOrderObserved, 'status' | 'parcels' | 'evidence'>;

/**
 * One supplier in its own dialect. Plain: patience (timeout, breaker, retry of reads) is composed around it. Every
 * method throws `SupplierError` and nothing else that it foresaw; amounts are minor units of the named currency.
 */
export interface SupplierAdapter {
  readonly name: SupplierName;
  readonly capabilities: SupplierCapabilities;
  /** Safe to repeat. */
  quote(request: QuoteRequest, signal: AbortSignal): Promise<Quote>;
  /** Never repeated on doubt: `unknown_outcome` means that it may have bought. */
  place(request: PlaceRequest, signal: AbortSignal): Promise<PlacedOrder>;
  /** Every order under our reference; empty when the supplier says there is none. Safe to repeat. */
  lookUp(callerRef: string, signal: AbortSignal): Promise<readonly FoundOrder[]>;
  /** Brings a placed order to where it can be paid and says what it costs now. Spends nothing; safe to repeat. */
  preparePayment(key: OrderKey, signal: AbortSignal): Promise<PaymentDue>;
  /** Spends the money. Never repeated on doubt. */
  pay(supplierReference: string, signal: AbortSignal): Promise<void>;
  /**
   * At most `statusBatchSize` orders. The answer is keyed by `supplierReference`; those that the supplier does not know,
   * or that could not be read in time while others were, are left out. Safe to repeat.
   */
  status(keys: readonly OrderKey[], signal: AbortSignal): Promise<ReadonlyMap<string, ObservedStatus>>;
  /** Gives up an unpaid order. */
  cancel(key: OrderKey, signal: AbortSignal): Promise<void>;
}

/** Purchases go before queries when the supplier's rate is short. */
export type CallPriority = 'purchase' | 'query';

/** Waits until the credential may call again. Shared by all copies of the service. */
export type ReserveCall = (priority: CallPriority, signal: AbortSignal) => Promise<void>;

/** A supplier's token pair, shared by all copies. Dates are ISO instants from the supplier's own answer. */
export interface SupplierToken {
  readonly accessToken: string;
  readonly accessExpiresAt: string;
  readonly refreshToken: string;
  readonly refreshExpiresAt: string;
  /** The supplier's account id where its pushes are signed with it: a secret too. */
  readonly accountId: string | null;
}

export interface TokenStore {
  read(): Promise<SupplierToken | null>;
  /**
   * Renews under a lock that all copies share. `renew` gets the pair as it is now: another copy may just have
   * renewed it, and then returns that pair unchanged instead of calling the supplier.
   */
  renew(renew: (current: SupplierToken | null) => Promise<SupplierToken>): Promise<SupplierToken>;
}
