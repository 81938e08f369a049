import type { Explanation } from '../contracts/resources/explanation.ts';
import type { HoldView } from '../contracts/resources/hold.ts';
import type {
  Compensation,
  OrderStateName,
  ParcelStateName,
  SupplierName,
  SupplierOrderStateName,
} from '../contracts/vocabulary.ts';

/** What an explanation is made of; nothing in it is a person's. */
export interface Explained {
  readonly id: string;
  readonly status: OrderStateName;
  readonly isArchived: boolean;
  readonly isTest: boolean;
  /** Nothing about its customer is kept, or taken, any more. */
  readonly isErased: boolean;
  /** Nobody wants anything of it any more. */
  readonly isOff: boolean;
  /** By the API: to ask again does nothing more. */
  readonly isCancelledHere: boolean;
  /** Its holds stop all of it, and not only what they are about. */
  readonly isStopped: boolean;
  /** The shop buys nothing before it has assessed the risk, and has not assessed that of this order. */
  readonly isRiskAwaited: boolean;
  /** Where its units wait that are on no purchase: to be sourced, or under holds. */
  readonly waiting: { readonly toSource: boolean; readonly held: boolean };
  readonly supplierOrders: readonly {
    readonly id: string;
    readonly supplier: SupplierName;
    readonly status: SupplierOrderStateName;
    readonly compensation: Compensation | null;
    /** How much of what is on it the order wants. */
    readonly wanted: 'nothing' | 'a part' | 'all';
    /** Where each of its parcels is. */
    readonly parcels: readonly ParcelStateName[];
  }[];
  readonly holds: readonly HoldView[];
  readonly deadLetters: Explanation['deadLetters'];
  readonly timers: readonly {
    readonly deadline: string;
    readonly supplierOrderId: string | null;
    /** ISO instant. */
    readonly dueAt: string;
  }[];
  /** Suppliers that take no calls for now, or none that cost of their budget, with the ISO instant when they do again. */
  readonly callPauses: readonly {
    readonly supplier: SupplierName;
    readonly until: string;
    readonly stops: 'calls' | 'budget';
  }[];
  /** Why a part of the log is stopped: until it is mended nobody does anything for any order. Null: none is. */
  readonly halted: string | null;
}
