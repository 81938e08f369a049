import { runService } from '../run-service.ts';
import { startOrders } from './service.ts';

await runService('orders', 6, startOrders);
