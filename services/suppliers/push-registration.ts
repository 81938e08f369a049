import { callPatienceMs } from '../../contracts/call-patience.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import type { PatientAdapter } from './policy.ts';
import { isCallable, type PurchasePorts } from './purchase-ports.ts';
import { pushUrlOf } from './push-url.ts';

/** The gateway, which has to answer the supplier's probe, may start later than we do. */
const TRY_EVERY_MS = 60_000;
/** A supplier closes what fails too often, and only a new registration opens it again. */
const RENEW_EVERY_MS = 3_600_000;

/**
 * Keeps us registered for the supplier's pushes, where it takes registrations and a setting says how we are reached.
 * Null where there is nothing to keep.
 */
export function startPushRegistration(ports: PurchasePorts, adapter: PatientAdapter): Periodic | null {
  const { settings, log } = ports;
  const url = pushUrlOf(settings, adapter.name);
  if (adapter.capabilities.pushes !== 'by_call' || url === null) return null;
  let registeredAt = Number.NEGATIVE_INFINITY;
  return startPeriodic(`pushes of ${adapter.name}`, TRY_EVERY_MS, log, async () => {
    if (performance.now() - registeredAt < RENEW_EVERY_MS) return 'idle';
    if (!(await isCallable(ports, adapter))) return 'idle';
    await adapter.registerPush(url, AbortSignal.timeout(callPatienceMs(settings) * 2));
    if (registeredAt < 0) log.info({ supplier: adapter.name, url }, 'pushes are registered');
    registeredAt = performance.now();
    return 'idle';
  });
}
