import { startGateway } from '../gateway/service.ts';
import { startNotifier } from '../services/notifier/service.ts';
import { startOrders } from '../services/orders/service.ts';
import { runService } from '../services/run-service.ts';
import { startShopify } from '../services/shopify/service.ts';
import { startSuppliers } from '../services/suppliers/service.ts';

/** Every service in one process, for a small shop. They still speak through the bus only. */
await runService('all-in-one', 16, async (context) => {
  const stops = [
    await startOrders(context),
    await startSuppliers(context),
    await startShopify(context),
    await startNotifier(context),
    await startGateway(context),
  ];
  return async () => {
    // The gateway first: nobody may hand in work that nobody takes.
    for (const stop of stops.reverse()) await stop();
  };
});
