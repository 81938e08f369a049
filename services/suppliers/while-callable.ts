import type { PatientAdapter } from './policy.ts';
import { isCallable, NEEDS_A_PERSON, type PurchasePorts } from './purchase-ports.ts';
import { SupplierError } from './supplier-error.ts';

/** It takes a person to mend login or account, and until then every call is refused. */
const REFUSED_PAUSE_MS = 60_000;

type Round = () => Promise<'more' | 'idle'>;

/** The round, left out while the supplier cannot or will not be called, and for a while after it refused our account. */
export function whileCallable(ports: PurchasePorts, adapter: PatientAdapter, round: Round): Round {
  const pauseMs = Math.min(ports.settings.ORDER_MANAGER_POLL_SECONDS * 1_000, REFUSED_PAUSE_MS);
  let refusedUntil = 0;
  return async () => {
    if (!(await isCallable(ports, adapter)) || performance.now() < refusedUntil) return 'idle';
    try {
      return await round();
    } catch (error) {
      if (error instanceof SupplierError && error.failureClass in NEEDS_A_PERSON)
        refusedUntil = performance.now() + pauseMs;
      throw error;
    }
  };
}
