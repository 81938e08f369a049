import { runService } from '../services/run-service.ts';
import { startGateway } from './service.ts';

await runService('gateway', 6, startGateway);
