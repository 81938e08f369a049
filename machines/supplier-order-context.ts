import type { SupplierOrderObserved } from '../contracts/events/supplier-order-observed.ts';
import type { Compensation } from '../contracts/vocabulary.ts';
import type { Parcels } from './parcel-place.ts';
import type { Units } from './units.ts';

/** Counts, flags and ids; what was bought and where it goes stands in tables. */
export interface SupplierOrderContext {
  readonly orderId: string;
  readonly supplierOrderId: string;
  /** Order line id to units of that line. */
  readonly units: Readonly<Record<string, number>>;
  readonly status: SupplierOrderObserved['status'] | null;
  readonly parcels: Parcels;
  /** Keys of numbers on their way that are in no parcel of ours: a person was asked about them, once. */
  readonly strayNumbers?: readonly string[] | undefined;
  /** What is in which parcel by a person's word, by the key of its number. */
  readonly contentsTold?: Readonly<Record<string, Units>>;
  /** What a person has to see to, as it was last observed and told; absent: nothing. */
  readonly attention?: string | undefined;
  /** The supplier said "not now": draft waits for its timer instead of asking at once. */
  readonly isDeferred: boolean;
  /** The supplier has taken it, and something is against it: a person is asked before the money. */
  readonly isHeldBack?: true;
  /** The longest that the quote promised; absent where it promised nothing. */
  readonly deliveryDays?: number;
  /** Of the purchase call that the ledger let through last, as far as we were told; 0 before the first. */
  readonly attempt: number;
  /** Mark of the address that this attempt was sent with; absent: nobody wrote it down. */
  readonly sentTo?: string | undefined;
  /** The shop is not told of its parcels: there is none. */
  readonly isWithoutShop?: true;
  /** Nobody wants it any more: its order as a whole, or a person who gave up this purchase alone. */
  readonly unwantedBy?: 'order' | 'operator';
  /** What is done about that; it follows from how far the purchase had come. */
  readonly compensation?: Compensation;
}

export type SupplierOrderInput = Pick<
  SupplierOrderContext,
  'orderId' | 'supplierOrderId' | 'units' | 'isWithoutShop' | 'deliveryDays'
>;
