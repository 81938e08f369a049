import { readSettings } from '../contracts/settings.ts';

/** A container's health check: asks the service beside it. Ends with 0 when that can work, else with 1 and what it said. */
const { ORDER_MANAGER_METRICS_PORT: port } = readSettings(process.env);
if (port === undefined) throw new Error('ORDER_MANAGER_METRICS_PORT is not set');
const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(4_000) });
process.stdout.write(await response.text());
process.exitCode = response.ok ? 0 : 1;
