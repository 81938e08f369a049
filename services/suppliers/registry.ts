import { answerWithinMs, callPatienceMs, commandsAtOnce } from '../../contracts/call-patience.ts';
import { missingVariables, SUPPLIER_VARIABLES } from '../../contracts/supplier-variables.ts';
import { SUPPLIERS, type SupplierName } from '../../contracts/vocabulary.ts';
import type { ServiceContext } from '../run-service.ts';
import { sendingWithin } from '../send-once.ts';
import { createQuotaReporter, createTokenStore, rememberKey } from './account.ts';
import { aliExpress } from './aliexpress/registration.ts';
import { createCallLimiter } from './call-limiter.ts';
import { createCallTurns } from './call-turns.ts';
import { cjDropshipping } from './cj-dropshipping/registration.ts';
import { type PatientAdapter, withPolicy } from './policy.ts';
import type { SupplierRegistration } from './registration.ts';

/** Every supplier. Nothing else in the service names one. */
export const REGISTRY: Readonly<Record<SupplierName, SupplierRegistration>> = {
  aliexpress: aliExpress,
  cj_dropshipping: cjDropshipping,
};

const HALF_OPEN_AFTER_MS = 10_000;

/** The adapters whose credentials are there, each behind its own timeout and breaker. */
export async function createAdapters({
  settings,
  store,
  log,
}: Pick<ServiceContext, 'settings' | 'store' | 'log'>): Promise<ReadonlyMap<SupplierName, PatientAdapter>> {
  const adapters = new Map<SupplierName, PatientAdapter>();
  const patience = {
    callTimeoutMs: callPatienceMs(settings),
    halfOpenAfterMs: HALF_OPEN_AFTER_MS,
  };
  for (const supplier of SUPPLIERS) {
    if (missingVariables(settings, supplier).length > 0) continue;
    const { create, accountKey } = REGISTRY[supplier];
    const { requestsPerSecond } = SUPPLIER_VARIABLES[supplier];
    const reserve = await createCallLimiter(store, supplier, settings[requestsPerSecond]);
    if (accountKey !== undefined) await rememberKey(store, supplier, accountKey(settings));
    const adapter = await create({
      settings,
      log,
      tokens: createTokenStore(store, supplier),
      reserve,
      takeTurn: createCallTurns(store, supplier, answerWithinMs(settings)),
      report: createQuotaReporter(store, supplier),
      send: sendingWithin(answerWithinMs(settings)),
    });
    const patient = { ...patience, commandsAtOnce: commandsAtOnce(settings[requestsPerSecond]) };
    adapters.set(supplier, withPolicy(adapter, patient));
  }
  return adapters;
}
