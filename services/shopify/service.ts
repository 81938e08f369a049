import { randomUUID } from 'node:crypto';
import { FULFILL_PARCEL, FulfillParcel } from '../../contracts/commands/fulfill-parcel.ts';
import { REREAD_ORDER, RereadOrder } from '../../contracts/commands/reread-order.ts';
import { VERIFY_ORDER, VerifyOrder } from '../../contracts/commands/verify-order.ts';
import { startPeriodic } from '../periodic.ts';
import type { ServiceContext, StopService } from '../run-service.ts';
import { handling, serveCommands } from '../serve-commands.ts';
import { catchUp } from './catch-up.ts';
import { hourlyCheck } from './check-shop.ts';
import { fulfillParcel } from './fulfill-parcel.ts';
import { mirrorHolds } from './mirror-holds.ts';
import { reportGap } from './report-gap.ts';
import { rereadOrder } from './reread-order.ts';
import { adminOf } from './shop-login.ts';
import type { ShopPorts } from './shop-ports.ts';
import { showProgress } from './show-progress.ts';
import { verifyOrder } from './verify-order.ts';

const CONCURRENCY = 16;
/** How long the shop may show less than we know. */
const SHOW_EVERY_MS = 2_000;
/** How soon a check that failed, or is due again, is made. */
const LOOK_EVERY_MS = 60_000;

/** Reads what the shop says of its orders, and writes back what became of them. */
export async function startShopify(context: ServiceContext): Promise<StopService> {
  const ports: ShopPorts = {
    ...context,
    admin: adminOf(context.settings, context.log),
    copyId: `shopify-${randomUUID()}`,
  };
  const handlers = {
    [FULFILL_PARCEL]: handling(FulfillParcel, (command, commandId) =>
      fulfillParcel(ports, command, commandId),
    ),
    [VERIFY_ORDER]: handling(VerifyOrder, (command, commandId) => verifyOrder(ports, command, commandId)),
    [REREAD_ORDER]: handling(RereadOrder, (command, commandId) => rereadOrder(ports, command, commandId)),
  };
  // What a webhook only hints at is not to be seen by any other way.
  const consumer = await serveCommands(context, 'shopify', CONCURRENCY, handlers, {
    lasting: [REREAD_ORDER],
  });
  const rounds = [
    startPeriodic('check of the shop', LOOK_EVERY_MS, context.log, hourlyCheck(ports)),
    startPeriodic('catch-up', context.settings.ORDER_MANAGER_SWEEP_SECONDS * 1_000, context.log, () =>
      catchUp(ports),
    ),
    startPeriodic('gap report', LOOK_EVERY_MS, context.log, () => reportGap(ports)),
    startPeriodic('parcels in the shop', SHOW_EVERY_MS, context.log, () => showProgress(ports)),
    startPeriodic('holds in the shop', SHOW_EVERY_MS, context.log, () => mirrorHolds(ports)),
  ];
  return async () => {
    await Promise.all([consumer.stop(), ...rounds.map((round) => round.stop())]);
  };
}
