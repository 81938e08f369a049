import { runService } from '../run-service.ts';
import { startNotifier } from './service.ts';

await runService('notifier', 4, startNotifier);
