import { BUY, CANCEL, LOOK_UP, PAY, PurchaseCommand } from '../../contracts/commands/purchase.ts';
import { SOURCE_ORDER, SourceOrder } from '../../contracts/commands/source-order.ts';
import { purchaseMode, type Settings } from '../../contracts/settings.ts';
import type { ServiceContext, StopService } from '../run-service.ts';
import { handling, serveCommands } from '../serve-commands.ts';
import { cancel } from './cancel.ts';
import { lookUp } from './look-up.ts';
import { startMappingSweep } from './mapping-sweep.ts';
import { pay } from './payment.ts';
import { buy } from './purchase.ts';
import type { PurchasePorts } from './purchase-ports.ts';
import { createAdapters } from './registry.ts';
import { sourceOrder } from './source-order.ts';
import { startWatch } from './watch.ts';

const MOST_COMMANDS = 16;
/**
 * Commands at once. Each makes several calls one after another and all wait in the same line: with more of them than
 * two seconds of the supplier's rate, their waits would outlast the patience of a call.
 */
const concurrencyOf = ({ CJ_DROPSHIPPING_REQUESTS_PER_SECOND: rate }: Settings): number =>
  Math.min(MOST_COMMANDS, Math.max(2, Math.floor(rate * 2)));

/** Sources, buys, pays, looks up and watches: everything that speaks to a supplier. */
export async function startSuppliers(context: ServiceContext): Promise<StopService> {
  const adapters = await createAdapters(context);
  const ports: PurchasePorts = { ...context, adapterOf: (supplier) => adapters.get(supplier) };
  for (const supplier of adapters.keys()) {
    context.log.info({ supplier, mode: purchaseMode(context.settings, supplier) }, 'purchasing mode');
  }
  const consumer = await serveCommands(context, 'suppliers', concurrencyOf(context.settings), {
    [SOURCE_ORDER]: handling(SourceOrder, (command) => sourceOrder(ports, command)),
    [BUY]: handling(PurchaseCommand, (command, commandId) => buy(ports, command, commandId)),
    [PAY]: handling(PurchaseCommand, (command, commandId) => pay(ports, command, commandId)),
    [CANCEL]: handling(PurchaseCommand, (command, commandId) => cancel(ports, command, commandId)),
    [LOOK_UP]: handling(PurchaseCommand, (command, commandId) => lookUp(ports, command, commandId)),
  });
  const rounds = [
    startMappingSweep(context),
    ...[...adapters.values()].map((adapter) => startWatch(ports, adapter)),
  ];
  return async () => {
    await Promise.all([consumer.stop(), ...rounds.map((round) => round.stop())]);
  };
}
