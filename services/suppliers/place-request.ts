import { createHash } from 'node:crypto';
import type { Settings } from '../../contracts/settings.ts';
import type { PlaceRequest } from './adapter.ts';
import type { PurchaseFacts } from './purchase-facts.ts';
import { ceilingOf } from './purchase-ports.ts';

/** Of what the supplier is sent: our own ceiling may change without making it another purchase. */
export const hashOf = ({ ceilingMinor: _, ...sent }: PlaceRequest): string =>
  createHash('sha256').update(JSON.stringify(sent)).digest('hex');

/** What the supplier is sent; undefined when the order has no address. */
export function requestOf(
  { row, lines, recipient }: PurchaseFacts,
  settings: Settings,
): PlaceRequest | undefined {
  if (recipient === undefined) return undefined;
  const { id: callerRef, shipsFrom, shippingMethod, currency } = row;
  return {
    callerRef,
    recipient,
    shipsFrom,
    shippingMethod,
    lines: lines.map(({ lineId, supplierProductId, supplierVariantId, supplierUnits: units }) => ({
      lineId,
      supplierProductId,
      supplierVariantId,
      units,
    })),
    currency,
    ceilingMinor: ceilingOf(settings, row),
  };
}
