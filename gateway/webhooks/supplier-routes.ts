import type { H3Event } from 'h3';
import { isRetryable } from '../../contracts/errors.ts';
import { pushPathOf } from '../../contracts/push-path.ts';
import { TAKE_PUSH } from '../../contracts/requests/take-push.ts';
import { signatureHeadersOf } from '../../contracts/supplier-variables.ts';
import { SUPPLIERS, type SupplierName } from '../../contracts/vocabulary.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { refusal } from '../problem.ts';
import { readBytes } from '../read-input.ts';
import type { Route } from '../route.ts';
import type { WatchWebhook } from './watch-webhooks.ts';

/** A push is an id and a status; the largest known lists a hundred tracking events. */
const BODY_LIMIT_BYTES = 256_000;
/**
 * The most patient supplier waits three seconds, another half a second. One that has given up sends again what we know by
 * then; a refusal that comes too early would count against us with both.
 */
const PATIENCE_MS = 2_500;
const signatureIn = (event: H3Event, supplier: SupplierName): Record<string, string> =>
  Object.fromEntries(
    signatureHeadersOf(supplier).flatMap((name) => {
      const value = event.req.headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );

/** Pushes of suppliers, handed on as they came: only the supplier's own adapter knows its signature. */
export function supplierPushRoutes({
  bus,
  watch,
}: {
  readonly bus: Bus;
  readonly watch: WatchWebhook;
}): Route[] {
  const receive = async (event: H3Event, supplier: SupplierName): Promise<{ result: string }> => {
    const body = await readBytes(event, BODY_LIMIT_BYTES);
    const push = { supplier, headers: signatureIn(event, supplier), bodyBase64: body.toString('base64') };
    const refuse = (status: number, detail: string): Error =>
      refusal({ status, code: 'webhook_unverified', title: 'Webhook verification failed', detail });
    const answer = await bus.request(TAKE_PUSH, push, PATIENCE_MS).catch((error: unknown) => {
      throw isRetryable(error) ? refuse(503, 'it cannot be verified now: send it again later') : error;
    });
    if (!answer.ok) throw refuse(503, answer.failure.message);
    if (answer.value.result === 'forged') throw refuse(401, 'the signature does not fit the body');
    return answer.value;
  };
  return SUPPLIERS.flatMap((supplier): Route[] => {
    const topic = pushPathOf(supplier);
    const route = { path: `/webhooks/${topic}`, isOpen: true };
    return [
      // Before it sends anything a supplier tries the address, and does not say how.
      { ...route, method: 'GET', handle: () => ({ result: 'probe' }) },
      { ...route, method: 'POST', handle: (event) => watch(topic, () => receive(event, supplier)) },
    ];
  });
}
