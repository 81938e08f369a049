import { randomUUID } from 'node:crypto';
import { hasShopifyLogin } from '../contracts/configured-parts.ts';
import { AppError } from '../contracts/errors.ts';
import { tellFigures } from '../services/health-listener.ts';
import type { ServiceContext, StopService } from '../services/run-service.ts';
import { withPatience } from '../services/with-patience.ts';
import { createApiKeyGuard } from './api-key.ts';
import { createApp } from './app.ts';
import { newsEndpoints } from './crew/agent-news.ts';
import { crewEndpoints, UNKNOWN_OPERATION } from './crew/serve-crew.ts';
import { ROUTE_DOCS } from './documents/route-docs.ts';
import { createMetrics } from './metrics.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { documentRoutes } from './routes/documents.ts';
import { healthRoutes } from './routes/health.ts';
import { holdRoutes } from './routes/holds.ts';
import { mailRoutes } from './routes/mails.ts';
import { mappingFileRoutes } from './routes/mapping-files.ts';
import { orderRoutes } from './routes/orders.ts';
import { privacyRoutes } from './routes/privacy.ts';
import { productMappingRoutes } from './routes/product-mappings.ts';
import { sourcingPreviewRoutes } from './routes/sourcing-preview.ts';
import { stuckRoutes } from './routes/stuck.ts';
import { supplierOrderRoutes } from './routes/supplier-orders.ts';
import { purchasingSwitchRoutes, supplierRoutes } from './routes/suppliers.ts';
import { STOP_MS, serve } from './server.ts';
import { createIntake } from './webhooks/intake.ts';
import { shopifyRoutes } from './webhooks/shopify-routes.ts';
import { supplierPushRoutes } from './webhooks/supplier-routes.ts';
import { createVerifier } from './webhooks/verify-delivery.ts';
import { createWatch } from './webhooks/watch-webhooks.ts';

/**
 * The way in: validates, commits, answers. It calls no supplier and no shop.
 * @throws AppError `settings_invalid` without ORDER_MANAGER_API_KEY or when ORDER_MANAGER_PORT cannot be had.
 */
export async function startGateway({ settings, log, store, bus }: ServiceContext): Promise<StopService> {
  const { ORDER_MANAGER_API_KEY: apiKey, ORDER_MANAGER_HOST: host, ORDER_MANAGER_PORT: port } = settings;
  if (apiKey === undefined) {
    const message =
      'cannot start: ORDER_MANAGER_API_KEY is not set, and without it the API would be open to everybody';
    throw new AppError('settings_invalid', message, { retryable: false });
  }
  const metrics = createMetrics(store, settings);
  // Who scrapes every service at the same port finds there what the database knows, too.
  const tellOwnOnly = tellFigures(metrics.scrape);
  let isStopping = false;
  const watch = createWatch({ metrics, log });
  const intake = createIntake(store, bus);
  const reading = {
    buysAuthorized: settings.ORDER_MANAGER_BUY_AUTHORIZED,
    canBeReread: hasShopifyLogin(settings),
  };
  const routes = [
    ...shopifyRoutes({
      verify: createVerifier(settings),
      intake,
      watch,
      ...reading,
    }),
    ...orderRoutes(store, bus),
    ...supplierPushRoutes({ bus, watch }),
    ...supplierOrderRoutes(store, bus),
    ...holdRoutes(store, bus),
    ...privacyRoutes(store),
    ...deadLetterRoutes({ store, bus, reading }),
    ...mailRoutes(store),
    ...stuckRoutes(store, settings),
    ...supplierRoutes(bus),
    ...purchasingSwitchRoutes(store),
    ...productMappingRoutes(store, bus),
    ...mappingFileRoutes(store, bus),
    ...sourcingPreviewRoutes(bus),
    ...healthRoutes(store, bus, metrics, () => isStopping),
  ];
  const crew = randomUUID();
  const guard = createApiKeyGuard(store, { owner: apiKey, crew }, settings.ORDER_MANAGER_REQUESTS_PER_MINUTE);
  const all = [...routes, ...documentRoutes(routes)];
  const app = createApp(all, { guard, metrics, log });
  const server = await serve(app, host, port);
  const endpoints = [...crewEndpoints(app, routes, ROUTE_DOCS, crew), ...newsEndpoints(store, bus)];
  const agents = await bus.serveAgents(
    endpoints,
    (error, subject) => log.error({ err: error, subject }, 'an operation failed'),
    UNKNOWN_OPERATION,
  );
  log.info({ host, port: server.port }, 'the gateway listens');
  return async () => {
    isStopping = true;
    const drainMs = settings.ORDER_MANAGER_DRAIN_SECONDS * 1_000;
    // An agent may wait for a supplier for longer than a stop may take.
    const agentsLeft = withPatience(agents.stop(), drainMs + STOP_MS).catch(() => {});
    await Promise.all([agentsLeft, server.close(drainMs)]);
    await intake.stop();
    tellOwnOnly();
    metrics.close();
  };
}
