import { BUY, LOOK_UP, PAY, PurchaseCommand } from '../../contracts/commands/purchase.ts';
import { SOURCE_ORDER, SourceOrder } from '../../contracts/commands/source-order.ts';
import { purchaseMode } from '../../contracts/settings.ts';
import type { ServiceContext, StopService } from '../run-service.ts';
import { handling, serveCommands } from '../serve-commands.ts';
import { lookUp } from './look-up.ts';
import { pay } from './payment.ts';
import { buy } from './purchase.ts';
import type { PurchasePorts } from './purchase-ports.ts';
import { createAdapters } from './registry.ts';
import { sourceOrder } from './source-order.ts';
import { startWatch } from './watch.ts';

/** Supplier calls are mostly waiting; the limiter row, not this number, keeps a supplier's rate. */
const CONCURRENCY = 16;

/** Sources, buys, pays, looks up and watches: everything that speaks to a supplier. */
export async function startSuppliers(context: ServiceContext): Promise<StopService> {
  const adapters = await createAdapters(context);
  const ports: PurchasePorts = { ...context, adapterOf: (supplier) => adapters.get(supplier) };
  for (const supplier of adapters.keys()) {
    context.log.info({ supplier, mode: purchaseMode(context.settings, supplier) }, 'purchasing mode');
  }
  const consumer = await serveCommands(context, 'suppliers', CONCURRENCY, {
    [SOURCE_ORDER]: handling(SourceOrder, (command) => sourceOrder(ports, command)),
    [BUY]: handling(PurchaseCommand, (command, commandId) => buy(ports, command, commandId)),
    [PAY]: handling(PurchaseCommand, (command, commandId) => pay(ports, command, commandId)),
    [LOOK_UP]: handling(PurchaseCommand, (command, commandId) => lookUp(ports, command, commandId)),
  });
  const watches = [...adapters.values()].map((adapter) => startWatch(ports, adapter));
  return async () => {
    await Promise.all([consumer.stop(), ...watches.map((watch) => watch.stop())]);
  };
}
