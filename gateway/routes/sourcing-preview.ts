import { PREVIEW_SOURCING } from '../../contracts/requests/preview-sourcing.ts';
import { PreviewSourcing, type SourcingPreview } from '../../contracts/resources/sourcing-preview.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { orderIdIn } from '../locked-order.ts';
import { readJson } from '../read-input.ts';
import type { Route } from '../route.ts';
import { answerOf } from '../supplier-problem.ts';

/** A quote for each candidate of each line, one after another where the supplier's rate wants it. */
const PREVIEW_MS = 60_000;

/** Where an order would be bought. Asked of the suppliers service; nothing is bought. */
export const sourcingPreviewRoutes = (bus: Bus): Route[] => [
  {
    method: 'POST',
    path: '/sourcing-preview',
    scope: 'read',
    handle: async (event): Promise<SourcingPreview> =>
      answerOf(bus.request(PREVIEW_SOURCING, await readJson(event, PreviewSourcing), PREVIEW_MS), 'search'),
  },
  {
    method: 'POST',
    path: '/orders/:orderId/sourcing-preview',
    scope: 'read',
    handle: async (event): Promise<SourcingPreview> =>
      answerOf(bus.request(PREVIEW_SOURCING, { orderId: orderIdIn(event) }, PREVIEW_MS), 'search'),
  },
];
