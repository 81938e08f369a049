import type { FoundOrder, PlacedOrder } from './adapter.ts';
import { currentIntent } from './ledger.ts';
import { hashOf, requestOf } from './place-request.ts';
import { factsNow } from './purchase-facts.ts';
import type { PurchasePorts } from './purchase-ports.ts';

const CHANGED = 'it was made before the order was changed: compare its address, and mend or cancel it there';

/**
 * The order at the supplier as the purchase adopts it that is in doubt. Where it was asked for with another recipient than
 * the order has by now, nobody would hear that the parcel goes to the old address: it is held before it is paid. Of a paid
 * one only the log tells.
 */
export async function asAdopted(
  ports: PurchasePorts,
  supplierOrderId: string,
  found: FoundOrder,
): Promise<PlacedOrder> {
  const { store, settings, log } = ports;
  const [facts, intent] = await Promise.all([
    factsNow(ports, supplierOrderId),
    currentIntent(store, supplierOrderId, 'create'),
  ]);
  const request = facts === undefined ? undefined : requestOf(facts, settings);
  if (request !== undefined && intent?.requestHash === hashOf(request)) return found;
  const { supplierReference, isPaid } = found;
  log.warn({ supplierOrderId, supplierReference, isPaid }, CHANGED);
  return { ...found, heldBack: CHANGED };
}
