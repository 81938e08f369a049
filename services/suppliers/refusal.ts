import type { Evidence, FailureClass, HoldReason } from '../../contracts/vocabulary.ts';

/** Why a candidate cannot be taken. */
export interface Refusal {
  readonly reason: HoldReason;
  readonly evidence: Evidence;
  /** Too little of it, perhaps not none. */
  readonly isShort?: boolean;
}

/** Refusals that another candidate may not have; the classes missing here pass by themselves. */
export const REFUSAL_OF: Partial<Record<FailureClass, HoldReason>> = {
  auth: 'credentials_expired',
  not_found: 'mapping_changed',
  unavailable: 'out_of_stock',
  not_shippable: 'not_shippable',
  account_blocked: 'account_risk',
  invalid_input: 'supplier_rejected',
  permanent: 'supplier_rejected',
};
