import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, type Call, plainText } from './exchange.ts';
import type { Faults } from './faults.ts';

/** How one kind of server says that it is busy, and where it can, that it refuses for a reason. */
export interface HttpDialect {
  rateLimited(): Answer;
  refused?(code: string): Answer;
}

const serverError = (): Answer => plainText('Internal Server Error', 500);
const garbage = (): Answer => ({
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<html><body><h1>Scheduled maint',
});

function cut(call: Call): Answer {
  call.cut();
  return serverError();
}

/** Counts the call under all its operation names and lets the planned fault, if any, befall it. */
export async function withFaults(
  { faults, call, dialect }: { faults: Faults; call: Call; dialect: HttpDialect },
  operations: readonly string[],
  effect: () => Answer | Promise<Answer>,
): Promise<Answer> {
  const fault = faults.next(operations);
  const refused = (code: string): Answer => dialect.refused?.(code) ?? serverError();
  switch (fault?.kind) {
    case undefined:
      return effect();
    case 'error_before':
      return serverError();
    case 'no_answer_before':
      return cut(call);
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
      return cut(call);
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
