import { runService } from '../run-service.ts';
import { startShopify } from './service.ts';

await runService('shopify', 4, startShopify);
