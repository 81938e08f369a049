import type { OrderSummary } from '../../contracts/resources/order.ts';
import type { HoldReason } from '../../contracts/vocabulary.ts';
import type { Order } from '../../services/store/entities/order.ts';

/** A row of the list statement; dates as the database gives them. */
export interface SummaryRow
  extends Pick<
    Order,
    'id' | 'shop' | 'shopOrderId' | 'name' | 'state' | 'currency' | 'totalMinor' | 'placedAt'
  > {
  readonly archivedAt?: string | Date | null | undefined;
  readonly createdAt: string | Date;
  readonly updatedAt: string | Date;
  readonly holdReasons: readonly HoldReason[];
}

const instant = (at: string | Date): string => new Date(at).toISOString();

export const toSummary = (order: SummaryRow): OrderSummary => ({
  id: order.id,
  shop: order.shop,
  shopOrderId: order.shopOrderId,
  name: order.name,
  status: order.state,
  held: order.holdReasons.length > 0,
  holdReasons: [...order.holdReasons],
  currency: order.currency,
  totalMinor: order.totalMinor,
  placedAt: order.placedAt,
  archivedAt: order.archivedAt == null ? null : instant(order.archivedAt),
  createdAt: instant(order.createdAt),
  updatedAt: instant(order.updatedAt),
});
