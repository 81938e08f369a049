import { commandsAtOnce, MOST_COMMANDS } from '../../contracts/call-patience.ts';
import { BUY, CANCEL, LOOK_UP, PAY, PurchaseCommand } from '../../contracts/commands/purchase.ts';
import { SOURCE_ORDER, SourceOrder } from '../../contracts/commands/source-order.ts';
import { envelope } from '../../contracts/envelope.ts';
import type { Settings } from '../../contracts/settings.ts';
import { commandSubject } from '../../contracts/subjects.ts';
import { SUPPLIER_VARIABLES } from '../../contracts/supplier-variables.ts';
import { SUPPLIERS, type SupplierName } from '../../contracts/vocabulary.ts';
import type { CommandConsumer, CommandResult } from '../bus/command-consumer.ts';
import type { ServiceContext } from '../run-service.ts';
import { type CommandHandler, DONE, handling, laterInHand, serveCommands } from '../serve-commands.ts';
import { currentWork } from '../work.ts';
import { cancel } from './cancel.ts';
import { lookUp } from './look-up.ts';
import { pay } from './payment.ts';
import type { Wanted } from './plan-sourcing.ts';
import { buy } from './purchase.ts';
import { BREAKER_PAUSE_MS, type PurchasePorts } from './purchase-ports.ts';
import { readPurchase } from './purchase-row.ts';
import { delivers } from './read-candidates.ts';
import { sourceOrder } from './source-order.ts';

/** Calls a second of its contract. */
const rateOf = (settings: Settings, supplier: SupplierName): number =>
  settings[SUPPLIER_VARIABLES[supplier].requestsPerSecond];

const concurrencyOf = ({ settings, adapterOf }: PurchasePorts, supplier: SupplierName): number =>
  adapterOf(supplier)?.commandsAtOnce() ?? commandsAtOnce(rateOf(settings, supplier));

/** Those that are asked whatever the others have. */
function askedFirst({ settings }: PurchasePorts, { lines, destination }: Wanted): Set<SupplierName> {
  const isChoice = settings.ORDER_MANAGER_SOURCING_STRATEGY !== 'preferred';
  const candidates = lines.flatMap((line) => {
    const delivering = line.candidates.filter(
      (candidate) => destination !== undefined && delivers(candidate, destination.countryCode),
    );
    return isChoice ? delivering : delivering.toSorted((a, b) => a.priority - b.priority).slice(0, 1);
  });
  return new Set(candidates.map(({ supplier }) => supplier));
}

/**
 * Of all that may have to be asked the one that bears the fewest commands at once, of several the slowest. How another
 * fares that is asked only in need keeps nobody back.
 */
function narrowestOf(ports: PurchasePorts, wanted: Wanted): SupplierName | undefined {
  const first = askedFirst(ports, wanted);
  const rate = (supplier: SupplierName): number => rateOf(ports.settings, supplier);
  const width = (supplier: SupplierName): number =>
    first.has(supplier) ? concurrencyOf(ports, supplier) : commandsAtOnce(rate(supplier));
  return wanted.lines
    .flatMap(({ candidates }) => candidates.map(({ supplier }) => supplier))
    .filter((supplier) => ports.adapterOf(supplier) !== undefined)
    .sort((a, b) => width(a) - width(b) || rate(a) - rate(b))[0];
}

interface PassedOn {
  readonly verb: string;
  /** What the command is about; its place in the subject. */
  readonly id: string;
  readonly command: { readonly orderId: string };
  readonly commandId: string;
}

/** Puts the command into the supplier's own lane; said again, it stands there once. */
async function passOn(
  { bus }: PurchasePorts,
  supplier: SupplierName,
  { verb, id, command, commandId }: PassedOn,
): Promise<CommandResult> {
  const messageId = `${commandId}:${supplier}`;
  const message = envelope({
    id: messageId,
    source: '/suppliers',
    type: `suppliers.${verb}`,
    subject: command.orderId,
    time: new Date().toISOString(),
    data: command,
    causationId: commandId,
    traceparent: currentWork()?.traceparent,
  });
  const subject = commandSubject(supplier, verb, id);
  await bus.publish([{ messageId, subject, payload: JSON.stringify(message) }]);
  return DONE;
}

/**
 * Sourcing belongs to the supplier that bears the fewest commands of those that have to be asked, if any. It is done here
 * and now while that one has half its hands free for it, else in its lane: whoever hangs fills hands of its own number
 * and no more.
 */
function sourcingOf(ports: PurchasePorts): CommandHandler {
  const inHand = new Map<SupplierName, number>();
  const count = (supplier: SupplierName): number => inHand.get(supplier) ?? 0;
  return handling(SourceOrder, (command, commandId) =>
    sourceOrder(ports, command, async (wanted, ask) => {
      const narrowest = narrowestOf(ports, wanted);
      if (narrowest === undefined) return ask();
      if (count(narrowest) >= Math.floor(concurrencyOf(ports, narrowest) / 2))
        return passOn(ports, narrowest, { verb: SOURCE_ORDER, id: command.orderId, command, commandId });
      inHand.set(narrowest, count(narrowest) + 1);
      return ask().finally(() => inHand.set(narrowest, count(narrowest) - 1));
    }),
  );
}

/** What finds the breaker of the own supplier open waits for it; that of another that is needed first, in its lane. */
const ownSourcingOf = (ports: PurchasePorts, own: SupplierName): CommandHandler =>
  handling(SourceOrder, (command, commandId) =>
    sourceOrder(ports, command, async (wanted, ask) => {
      const result = await ask();
      if (result.verdict !== 'later') return result;
      const narrowest = narrowestOf(ports, wanted);
      if (narrowest !== undefined && narrowest !== own)
        return passOn(ports, narrowest, { verb: SOURCE_ORDER, id: command.orderId, command, commandId });
      return ports.adapterOf(own)?.breakerState() === 'open' ? laterInHand(BREAKER_PAUSE_MS) : DONE;
    }),
  );

async function passOnPurchase(
  ports: PurchasePorts,
  verb: string,
  command: PurchaseCommand,
  commandId: string,
): Promise<CommandResult> {
  const row = await readPurchase(ports.store, command.supplierOrderId);
  if (row === undefined) return DONE;
  return passOn(ports, row.supplier, { verb, id: row.id, command, commandId });
}

const PURCHASE_VERBS = { [BUY]: buy, [PAY]: pay, [CANCEL]: cancel, [LOOK_UP]: lookUp };

type Handlers = Readonly<Record<string, CommandHandler>>;

const ownHandlers = (ports: PurchasePorts, own: SupplierName): Handlers => ({
  [SOURCE_ORDER]: ownSourcingOf(ports, own),
  ...Object.fromEntries(
    Object.entries(PURCHASE_VERBS).map(([verb, handle]) => [
      verb,
      handling(PurchaseCommand, (command, commandId) => handle(ports, command, commandId)),
    ]),
  ),
});

/** The release before this one says everything here, and a dead letter of it comes back to where it was. */
const sharedHandlers = (ports: PurchasePorts): Handlers => ({
  [SOURCE_ORDER]: sourcingOf(ports),
  ...Object.fromEntries(
    Object.keys(PURCHASE_VERBS).map((verb) => [
      verb,
      handling(PurchaseCommand, (command, commandId) => passOnPurchase(ports, verb, command, commandId)),
    ]),
  ),
});

/**
 * Works off the commands of all suppliers: each supplier's in a lane of its own, as many at once as its rate bears and
 * its answers keep up with, so that one that is slow or hangs keeps nobody else's purchases back. What comes in the lane
 * that they share, sourcing and what the release before said, is passed on to the lane of one, unless there is room for
 * it.
 */
export const serveLanes = (context: ServiceContext, ports: PurchasePorts): Promise<CommandConsumer[]> =>
  Promise.all([
    serveCommands(context, 'suppliers', MOST_COMMANDS, sharedHandlers(ports)),
    ...SUPPLIERS.map((supplier) =>
      serveCommands(context, supplier, () => concurrencyOf(ports, supplier), ownHandlers(ports, supplier)),
    ),
  ]);
