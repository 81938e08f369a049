import { z } from 'zod';
import { Evidence } from '../vocabulary.ts';

/** The shop said how likely the order is a fraud. Said again whenever that changes. */
export const ORDER_RISK_ASSESSED = 'order.risk_assessed';

/** From harmless to grave; `unknown`: the shop was asked and had no opinion. */
export const RISK_LEVELS = ['low', 'unknown', 'medium', 'high'] as const;
export const RiskLevel = z.enum(RISK_LEVELS);
export type RiskLevel = z.infer<typeof RiskLevel>;

export const OrderRiskAssessed = z.object({ orderId: z.string(), level: RiskLevel, evidence: Evidence });
export type OrderRiskAssessed = z.infer<typeof OrderRiskAssessed>;
