import { SupplierError } from './supplier-error.ts';

/** A question to one supplier, by whatever it takes to ask there. Plain data: the same question is the same JSON. */
type Ask<Client, Question, Answer> = (
  client: Client,
  question: Question,
  signal: AbortSignal,
) => Promise<Answer>;

/** Whether it says something of what was asked for, and not only how the call went. */
const isVerdict = (error: unknown): boolean => error instanceof SupplierError && !error.retryable;

const orAborted = <T>(answer: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });

/**
 * Who asks what somebody is asking already takes the answer to that call: a hundred orders of one article cost a call, and
 * not a hundred, where calls are rationed. The answer is no older than the call, so nothing is remembered. A call that
 * fails in a way that passes says nothing to the others: each asks for itself.
 * @param ask throws SupplierError.
 */
export function sharedQuestion<Client extends object, Question, Answer>(
  ask: Ask<Client, Question, Answer>,
): Ask<Client, Question, Answer> {
  const underWay = new WeakMap<Client, Map<string, Promise<Answer>>>();
  return async (client, question, signal) => {
    const calls = underWay.get(client) ?? new Map<string, Promise<Answer>>();
    underWay.set(client, calls);
    const key = JSON.stringify(question);
    const asked = calls.get(key);
    if (asked !== undefined) {
      try {
        return await orAborted(asked, signal);
      } catch (error) {
        if (isVerdict(error)) throw error;
        return ask(client, question, signal);
      }
    }
    const call = ask(client, question, signal).finally(() => calls.delete(key));
    calls.set(key, call);
    return call;
  };
}
