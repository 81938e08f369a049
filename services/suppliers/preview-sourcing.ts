import type { z } from 'zod';
import { AppError } from '../../contracts/errors.ts';
import type { PREVIEW_SOURCING } from '../../contracts/requests/preview-sourcing.ts';
import { type Answer, no, yes } from '../../contracts/requests/request.ts';
import { PreviewedPart, type SourcingPreview } from '../../contracts/resources/sourcing-preview.ts';
import type { Sql } from '../store/store.ts';
import type { PlannedPart } from './allocate.ts';
import { planSourcing, type SourcingPlan, type Wanted } from './plan-sourcing.ts';
import type { PurchasePorts } from './purchase-ports.ts';
import { readInvented, readOrdersToSource, toWanted, waitingUnits } from './read-wanted.ts';
import { toFailure } from './request-failure.ts';

/**
 * Where an order's waiting units, or those of an invented order, would be bought now: the live run's own function.
 * @throws AppError `order_not_found`.
 */
export async function previewSourcing(
  ports: PurchasePorts,
  request: z.output<typeof PREVIEW_SOURCING.request>,
): Promise<Answer<SourcingPreview>> {
  const { store } = ports;
  const wanted =
    'orderId' in request
      ? await readWaiting(store, request.orderId)
      : await readInvented(store, request, ports.settings);
  const answer = await planSourcing(ports, wanted);
  if (answer.result === 'ask_again') return no(toFailure(answer.failure));
  return yes(toPreview(answer.plan, ports));
}

async function readWaiting(sql: Sql, orderId: string): Promise<Wanted> {
  const order = (await readOrdersToSource(sql, [orderId])).get(orderId);
  if (order === undefined)
    throw new AppError('order_not_found', `there is no order ${orderId}`, { retryable: false });
  return toWanted(order, waitingUnits(order.context));
}

function toPreview(plan: SourcingPlan, { settings }: PurchasePorts): SourcingPreview {
  const { parts, refused, stops, passedOver, repairs, margin } = plan;
  const { unconverted, ...amounts } = margin;
  return {
    strategy: settings.ORDER_MANAGER_SOURCING_STRATEGY,
    wouldBuy: plan.isBought && stops.length === 0,
    parts: parts.map((part) => PreviewedPart.parse({ ...part, deliveryDays: part.daysToDeliver })),
    refused: [...refused],
    stops: [...stops],
    passedOver: passedOver.map(({ lineId, candidate, refusals }) => ({
      lineId,
      supplier: candidate.supplier,
      supplierProductId: candidate.supplierProductId,
      supplierVariantId: candidate.supplierVariantId,
      shipsFrom: candidate.shipsFrom,
      reasons: refusals.map(({ reason, evidence }) => ({ reason, evidence })),
    })),
    repairs: [...repairs],
    ...amounts,
    missingRate: unconverted?.currency ?? null,
    deliveryDays: lastOf(parts),
  };
}

function lastOf(parts: readonly PlannedPart[]): SourcingPreview['deliveryDays'] {
  const days = parts.map(({ daysToDeliver }) => daysToDeliver);
  if (days.length === 0) return null;
  let [min, max] = [0, 0];
  for (const range of days) {
    if (range === null) return null;
    [min, max] = [Math.max(min, range.min), Math.max(max, range.max)];
  }
  return { min, max };
}
