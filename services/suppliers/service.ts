import { LIST_SUPPLIERS } from '../../contracts/requests/list-suppliers.ts';
import { PREVIEW_SOURCING } from '../../contracts/requests/preview-sourcing.ts';
import { READ_PRODUCT } from '../../contracts/requests/read-product.ts';
import { yes } from '../../contracts/requests/request.ts';
import { SEARCH_PRODUCTS } from '../../contracts/requests/search-products.ts';
import { ADOPT_PURCHASE, SETTLE_NOT_BOUGHT } from '../../contracts/requests/settle-doubt.ts';
import { SUGGEST_CANDIDATES } from '../../contracts/requests/suggest-candidates.ts';
import { TAKE_PUSH } from '../../contracts/requests/take-push.ts';
import { missingVariables, purchaseMode } from '../../contracts/supplier-variables.ts';
import { SUPPLIERS } from '../../contracts/vocabulary.ts';
import { answering, type RequestHandler } from '../bus/requests.ts';
import type { ServiceContext, StopService } from '../run-service.ts';
import { startAskingRefusedAgain } from './ask-refused-again.ts';
import { startBillSweep } from './bill-sweep.ts';
import { createCallRecord, startCallReports } from './call-record.ts';
import { readProduct, searchProducts } from './catalogue.ts';
import { serveLanes } from './lanes.ts';
import { listSuppliers } from './list-suppliers.ts';
import { startMappingSweep } from './mapping-sweep.ts';
import { startPauseSweep } from './pause-sweep.ts';
import { previewSourcing } from './preview-sourcing.ts';
import { modeMeaning, type PurchasePorts } from './purchase-ports.ts';
import { startPushRegistration } from './push-registration.ts';
import { createAdapters } from './registry.ts';
import { adoptNamed, settleNotBought } from './settle-doubt.ts';
import { startStraySweep } from './stray-orders.ts';
import { suggestCandidates } from './suggest-candidates.ts';
import { takePush } from './take-push.ts';
import { startWatch } from './watch.ts';

/** What other services and the gateway may ask, over the bus. */
const requestHandlers = (ports: PurchasePorts): RequestHandler[] => [
  answering(SEARCH_PRODUCTS, (request) => searchProducts(ports, request)),
  answering(READ_PRODUCT, (request) => readProduct(ports, request)),
  answering(LIST_SUPPLIERS, async () => yes(await listSuppliers(ports))),
  answering(PREVIEW_SOURCING, (request) => previewSourcing(ports, request)),
  answering(SUGGEST_CANDIDATES, (request) => suggestCandidates(ports, request)),
  answering(TAKE_PUSH, (request) => takePush(ports, request)),
  answering(ADOPT_PURCHASE, (request) => adoptNamed(ports, request)),
  answering(SETTLE_NOT_BOUGHT, (request) => settleNotBought(ports, request)),
];

/** Sources, buys, pays, looks up, watches and answers: everything that speaks to a supplier. */
export async function startSuppliers(context: ServiceContext): Promise<StopService> {
  const { settings, log, bus } = context;
  const record = createCallRecord(context);
  const adapters = new Map(
    [...(await createAdapters(context))].map(([name, adapter]) => [name, record.recorded(adapter)]),
  );
  const ports: PurchasePorts = { ...context, adapterOf: (supplier) => adapters.get(supplier) };
  for (const supplier of SUPPLIERS) {
    const mode = purchaseMode(settings, supplier);
    const missing = missingVariables(settings, supplier);
    const adapter = adapters.get(supplier);
    if (adapter !== undefined)
      log.info({ supplier, mode }, `${supplier} ${modeMeaning(mode, adapter.capabilities.payment)}`);
    else log.info({ supplier, mode, missing }, `${supplier} is not set up: nothing is asked or bought there`);
  }
  const consumers = await serveLanes(context, ports);
  const requests = bus.serveRequests('suppliers', requestHandlers(ports), (error, verb) =>
    log.error({ err: error, verb }, 'a request failed in a way nobody foresaw'),
  );
  const rounds = [
    startMappingSweep(context),
    startPauseSweep(context),
    startBillSweep(context),
    startCallReports(record, log),
    ...[...adapters.values()].flatMap((adapter) => [
      startWatch(ports, adapter),
      startPushRegistration(ports, adapter),
      startStraySweep(ports, adapter),
      startAskingRefusedAgain(ports, adapter),
    ]),
  ].filter((round) => round !== null);
  return async () => {
    await Promise.all([...consumers, requests].map((served) => served.stop()));
    await Promise.all(rounds.map((round) => round.stop()));
  };
}
