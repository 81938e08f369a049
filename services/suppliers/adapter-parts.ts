import type { Settings } from '../../contracts/settings.ts';
import type { Logger } from '../logger.ts';
import type { Send } from '../send-once.ts';

/** What an adapter is made of: everything of its account that all copies of the service share. */
export interface AdapterParts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly tokens: TokenStore;
  readonly reserve: ReserveCall;
  readonly takeTurn: TakeCallTurn;
  readonly report: ReportQuota;
  /** Gives a request up that is not answered in time, counted from its sending. */
  readonly send: Send;
}

/** Purchases go before queries when the supplier's rate is short. */
export type CallPriority = 'purchase' | 'query';

/** What a call takes from what all calls of a credential share. */
export interface CallClaim {
  readonly priority: CallPriority;
  /** It takes from the supplier's own budget: not before there is some again. */
  readonly usesBudget?: boolean;
  /** Milliseconds since the last call that had any: the supplier counts such calls for themselves as well. A query's only. */
  readonly spacingMs?: number;
}

/** Waits until the credential may call again. Shared by all copies of the service. */
export type ReserveCall = (claim: CallClaim, signal: AbortSignal) => Promise<void>;

/** Leave to be the only one who calls the supplier. */
export interface CallTurn {
  /** Too late to send: by the time of an answer another copy might call. */
  isLost(): boolean;
  /** @param sentAt by `performance.now()`; null: nothing was sent. */
  end(sentAt: number | null): Promise<void>;
}

/**
 * Waits until no copy is calling the supplier, and the last call was sent so long ago; rejects with the signal's reason
 * when that fires first.
 */
export type TakeCallTurn = (distanceMs: number, signal: AbortSignal) => Promise<CallTurn>;

/** What the supplier's answers tell about its limits, for all copies to know. */
export interface QuotaReport {
  /** No call of this credential before this ISO instant. */
  readonly pausedUntil?: string;
  /** Calls came faster than the supplier grants: all keep more distance, and less again while it goes well. */
  readonly isTooFast?: true;
  /** The budget is used up: no call that takes from it before this ISO instant; those that are free go on. */
  readonly budgetPausedUntil?: string;
  /** Units of the supplier's own budget that are left, and its size. */
  readonly remaining?: number;
  readonly total?: number;
}
export type ReportQuota = (report: QuotaReport) => Promise<void>;

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
   * renewed it, and then returns that pair unchanged instead of calling the supplier. The lock ends a little after
   * `signal`, and a pair that comes later is lost: whatever it asks the supplier, and waits for leave to ask, ends with it.
   */
  renew(
    renew: (current: SupplierToken | null, signal: AbortSignal) => Promise<SupplierToken>,
  ): Promise<SupplierToken>;
  /** Milliseconds for which no copy asks for a pair by the account's key; 0: any may. */
  loginPauseMs(): Promise<number>;
  /** The supplier has refused a login as one too many. */
  pauseLogins(ms: number): Promise<void>;
}
