import {
  ORDER_RISK_ASSESSED,
  type OrderRiskAssessed,
  RISK_LEVELS,
  type RiskLevel,
} from '../../contracts/events/order-risk-assessed.ts';
import { eventRow } from '../bus/commit-and-publish.ts';
import type { OutboxRow } from '../store/outbox.ts';
import type { Sql } from '../store/store.ts';
import type { OrderNow } from './order-operations.ts';
import type { Truth } from './read-order.ts';
import { shopHoldsIn } from './shop-holds.ts';

/** In the order in which they outweigh each other. */
const LEVELS = [
  ['HIGH', 'high'],
  ['MEDIUM', 'medium'],
  ['LOW', 'low'],
] as const;

export function toRisk(
  orderId: string,
  { recommendation, assessments }: OrderNow['risk'],
): OrderRiskAssessed {
  const found = assessments.map(({ riskLevel }) => riskLevel);
  const level = LEVELS.find(([theirs]) => found.includes(theirs))?.[1] ?? 'unknown';
  return { orderId, level, evidence: { recommendation, assessments: found.join(' ') } };
}

export const riskRow = (messageId: string, data: OrderRiskAssessed): OutboxRow =>
  eventRow({ messageId, source: '/shopify', type: ORDER_RISK_ASSESSED, data });

/**
 * Null where it is no news: as it is known, or before the order asked for it. That the shop has no opinion any more is
 * none either: a reading that had to go without the risk looks the same. A lesser one waits while the shop itself holds the
 * order for fraud: under the hold of the risk that one does not show here, and nothing would hold the order in between.
 */
export async function newRisk(
  sql: Sql,
  orderId: string,
  { risk, ...seen }: Pick<Truth, 'risk' | 'received' | 'work'>,
): Promise<OrderRiskAssessed | null> {
  const now = toRisk(orderId, risk);
  if (now.level === 'unknown') return null;
  const [row] = await sql.query<{ known: RiskLevel | null }>(
    `select context ->> 'risk' as known from orders where id = $1`,
    [orderId],
  );
  const known = row?.known ?? null;
  if (known === null || known === now.level) return null;
  const isLess = RISK_LEVELS.indexOf(now.level) < RISK_LEVELS.indexOf(known);
  return isLess && shopHoldsIn(seen).some(({ reason }) => reason === 'fraud_review') ? null : now;
}
