import { randomUUID } from 'node:crypto';
import type { H3Event, HTTPResponse } from 'h3';
import { AppError } from '../../contracts/errors.ts';
import { HOLD_REQUESTED, type HoldRequested } from '../../contracts/events/operator-requests.ts';
import { holdIdOf } from '../../contracts/ids.ts';
import {
  type HoldList,
  HoldListQuery,
  type HoldReceipt,
  PostHold,
  ReleaseByReason,
} from '../../contracts/resources/hold.ts';
import { hasEnded } from '../../contracts/vocabulary.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { commitAndPublish, eventRow } from '../../services/bus/commit-and-publish.ts';
import type { Store } from '../../services/store/store.ts';
import { accepted } from '../answer.ts';
import { lockKnownOrder, orderIdIn } from '../locked-order.ts';
import { conflict } from '../problem.ts';
import { invalid, readJson, readParam, readQuery } from '../read-input.ts';
import { requestRelease, requestReleases } from '../request-release.ts';
import type { Route } from '../route.ts';

const noSuchHold = (holdId: string): AppError =>
  new AppError('not_found', `there is no hold ${JSON.stringify(holdId.slice(0, 80))}`, { retryable: false });

/** @throws AppError `not_found` for what can be no id of ours. */
function holdIdIn(event: H3Event): string {
  const holdId = readParam(event, 'holdId');
  if (/^hld_\w{1,60}$/.test(holdId)) return holdId;
  throw noSuchHold(holdId);
}

export const holdRoutes = (store: Store, bus: Bus): Route[] => [
  {
    method: 'GET',
    path: '/holds',
    handle: async (event): Promise<HoldList> => {
      const query = readQuery(event, HoldListQuery);
      const { readHolds } = await import('../views/hold-view.ts');
      return readHolds(store, query);
    },
  },
  {
    method: 'POST',
    path: '/holds/release',
    handle: async (event): Promise<HTTPResponse> =>
      accepted(await requestReleases(store, bus, await readJson(event, ReleaseByReason))),
  },
  {
    method: 'POST',
    path: '/holds/:holdId/release',
    handle: async (event): Promise<HTTPResponse> => {
      const holdId = holdIdIn(event);
      const receipt = await requestRelease(store, bus, holdId);
      if (receipt === undefined) throw noSuchHold(holdId);
      return accepted(receipt);
    },
  },
  {
    method: 'POST',
    path: '/orders/:orderId/holds',
    handle: async (event): Promise<HTTPResponse> => {
      const orderId = orderIdIn(event);
      const { note, line_id: lineId } = await readJson(event, PostHold);
      const id = holdIdOf(orderId, 'operator', lineId ?? '');
      await commitAndPublish(store, bus, async (sql, say) => {
        const order = await lockKnownOrder(sql, orderId);
        if (hasEnded(order.state)) {
          throw conflict(`the order is ${order.state}: there is nothing left to hold`);
        }
        if (lineId !== undefined && !Object.hasOwn(order.context.lines, lineId)) {
          throw invalid('body', [{ path: 'line_id', message: 'the order has no such line' }]);
        }
        await sql.run('insert into hold_notes (hold_id, order_id, note) values ($1, $2, $3)', [
          id,
          orderId,
          note,
        ]);
        const data: HoldRequested = { orderId, ...(lineId === undefined ? {} : { lineId }) };
        const messageId = `api:${randomUUID()}`;
        say(eventRow({ messageId, source: '/gateway', type: HOLD_REQUESTED, data }));
      });
      const receipt: HoldReceipt = { id, orderId };
      return accepted(receipt);
    },
  },
];
