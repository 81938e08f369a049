import { setTimeout as delay } from 'node:timers/promises';
import type { H3Event } from 'h3';
import type { Faults } from './faults.ts';

/** How one kind of server says that it is busy, and where it can, that it refuses for a reason. */
export interface HttpDialect {
  rateLimited(): Response;
  refused?(code: string): Response;
}

const serverError = (): Response => new Response('Internal Server Error', { status: 500 });
const garbage = (): Response =>
  new Response('<html><body><h1>Scheduled maint', { status: 200, headers: { 'content-type': 'text/html' } });

/** The peer sees its connection end without a byte; what is returned here goes nowhere. */
function cut(event: H3Event): Response {
  event.runtime?.node?.res?.destroy();
  return new Response(null, { status: 500 });
}

/** Counts the call under all its operation names and lets the planned fault, if any, befall it. */
export async function withFaults(
  { faults, event, dialect }: { faults: Faults; event: H3Event; dialect: HttpDialect },
  operations: readonly string[],
  effect: () => Response | Promise<Response>,
): Promise<Response> {
  const fault = faults.next(operations);
  const refused = (code: string): Response => dialect.refused?.(code) ?? serverError();
  switch (fault?.kind) {
    case undefined:
      return effect();
    case 'error_before':
      return serverError();
    case 'no_answer_before':
      return cut(event);
    case 'rate_limit':
      return dialect.rateLimited();
    case 'refusal_before':
      return refused(fault.code);
    case 'refusal_after':
      await effect();
      return refused(fault.code);
    case 'error_after':
      await effect();
      return serverError();
    case 'no_answer_after':
      await effect();
      return cut(event);
    case 'garbage':
      await effect();
      return garbage();
    case 'slow': {
      const answer = await effect();
      await delay(fault.delayMs, undefined, { ref: false });
      return answer;
    }
  }
}
