import { runService } from '../run-service.ts';
import { startSuppliers } from './service.ts';

await runService('suppliers', 6, startSuppliers);
