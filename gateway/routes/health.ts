import { HTTPResponse } from 'h3';
import type { Bus } from '../../services/bus/bus.ts';
import type { Sql } from '../../services/store/store.ts';
import type { Metrics } from '../metrics.ts';
import { refusal } from '../problem.ts';
import { findProblems, findWarnings } from '../readiness.ts';
import type { Route } from '../route.ts';

const LEAVING = { path: 'gateway', message: 'it is being stopped: send requests to another copy' };

/** For whoever watches the process; they say nothing about any order, so they ask for no key. */
export const healthRoutes = (
  sql: Sql,
  bus: Bus,
  metrics: Metrics,
  isStopping: () => boolean = () => false,
): Route[] => [
  { method: 'GET', path: '/healthz', isOpen: true, handle: () => ({ status: 'ok' }) },
  {
    method: 'GET',
    path: '/readyz',
    isOpen: true,
    handle: async () => {
      const fields = isStopping() ? [LEAVING] : await findProblems(sql, bus);
      if (fields.length === 0) {
        const warnings = await findWarnings(sql);
        return { status: 'ready', ...(warnings.length === 0 ? {} : { warnings }) };
      }
      const detail = fields.map(({ path, message }) => `${path}: ${message}`).join('; ');
      throw refusal({ status: 503, code: 'not_ready', detail, fields });
    },
  },
  {
    method: 'GET',
    path: '/metrics',
    isOpen: true,
    handle: async () =>
      new HTTPResponse(await metrics.scrape(), { headers: { 'content-type': metrics.contentType } }),
  },
];
