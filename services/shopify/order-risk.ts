import { ORDER_RISK_ASSESSED, type OrderRiskAssessed } from '../../contracts/events/order-risk-assessed.ts';
import { eventRow } from '../bus/commit-and-publish.ts';
import type { OutboxRow } from '../store/outbox.ts';
import type { Sql } from '../store/store.ts';
import type { OrderNow } from './order-operations.ts';

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
 * none either: a reading that had to go without the risk looks the same.
 */
export async function newRisk(
  sql: Sql,
  orderId: string,
  risk: OrderNow['risk'],
): Promise<OrderRiskAssessed | null> {
  const now = toRisk(orderId, risk);
  if (now.level === 'unknown') return null;
  const [row] = await sql.query<{ known: string | null }>(
    `select context ->> 'risk' as known from orders where id = $1`,
    [orderId],
  );
  const known = row?.known ?? null;
  return known === null || known === now.level ? null : now;
}
