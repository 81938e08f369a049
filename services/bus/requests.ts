import {
  headers,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  NatsError,
  ErrorCode as NatsErrorCode,
} from 'nats';
import { z } from 'zod';
import { AppError, ERROR_CODES } from '../../contracts/errors.ts';
import { type Answer, type RequestContract, RequestFailure } from '../../contracts/requests/request.ts';
import { requestSubject, type ServiceName } from '../../contracts/subjects.ts';
import { readTraceparent } from '../../contracts/trace-context.ts';
import { isOutage } from '../store/outage.ts';
import { inSpan } from '../tracing.ts';
import { currentWork, during, type Work } from '../work.ts';
import { durableOf } from './streams.ts';

/** On the wire a third kind joins the two of `Answer`: the other side failed, and the asker shall throw it. */
const WireAnswer = z.union([
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), failure: RequestFailure }),
  z.object({
    ok: z.literal(false),
    error: z.object({ code: z.enum(ERROR_CODES), message: z.string(), retryable: z.boolean() }),
  }),
]);
type WireAnswer = z.infer<typeof WireAnswer>;

export interface RequestHandler {
  readonly contract: RequestContract;
  readonly answer: (request: unknown) => Promise<Answer<unknown>>;
}

/** Binds a request's contract to its handler. What the handler throws is told to the asker; bugs without their words. */
export const answering = <Request extends z.ZodType, Reply extends z.ZodType>(
  contract: RequestContract<Request, Reply>,
  handle: (request: z.output<Request>) => Promise<Answer<z.input<Reply>>>,
): RequestHandler => ({
  contract,
  answer: (request) => handle(parse(contract, 'request', contract.request, request)),
});

function parse<T extends z.ZodType>(
  { service, verb }: RequestContract,
  part: string,
  schema: T,
  data: unknown,
): z.output<T> {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  throw new AppError('message_invalid', `the ${part} ${service}.${verb} is not as its contract says`, {
    retryable: false,
    fields: result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  });
}

const hasCode = (error: unknown, code: string): boolean => error instanceof NatsError && error.code === code;

const toBusError = (error: unknown, { service, verb }: RequestContract, timeoutMs: number): AppError => {
  const options = { retryable: true, cause: error };
  if (hasCode(error, NatsErrorCode.NoResponders))
    return new AppError('bus_unavailable', `no copy of the ${service} service is running`, options);
  if (hasCode(error, NatsErrorCode.Timeout)) {
    const message = `the ${service} service did not answer ${verb} within ${timeoutMs} ms`;
    return new AppError('request_timeout', message, options);
  }
  return new AppError('bus_unavailable', `the request ${service}.${verb} could not be sent`, options);
};

/** Names of what travels beside a request, so that the lines of both sides belong together. */
const WORK_HEADERS = { requestId: 'x-request-id', traceparent: 'traceparent' } as const;

function withWork(): { headers?: MsgHdrs } {
  const { requestId, traceparent } = currentWork() ?? {};
  if (requestId === undefined && traceparent === undefined) return {};
  const head = headers();
  if (requestId !== undefined) head.set(WORK_HEADERS.requestId, requestId);
  if (traceparent !== undefined) head.set(WORK_HEADERS.traceparent, traceparent);
  return { headers: head };
}

const workOf = (message: Msg): Work => ({
  requestId: message.headers?.get(WORK_HEADERS.requestId) || undefined,
  traceparent: readTraceparent(message.headers?.get(WORK_HEADERS.traceparent)),
});

export async function sendRequest<Request extends z.ZodType, Reply extends z.ZodType>(
  connection: NatsConnection,
  contract: RequestContract<Request, Reply>,
  request: z.input<Request>,
  timeoutMs: number,
): Promise<Answer<z.output<Reply>>> {
  const subject = requestSubject(contract.service, contract.verb);
  const message = await connection
    .request(subject, JSON.stringify(request), { timeout: timeoutMs, ...withWork() })
    .catch((error: unknown) => {
      throw toBusError(error, contract, timeoutMs);
    });
  const answer = parse(contract, 'answer to', WireAnswer, message.json());
  if ('error' in answer) {
    const { code, message: text, retryable } = answer.error;
    throw new AppError(code, text, { retryable });
  }
  if (!answer.ok) return answer;
  return { ok: true, value: parse(contract, 'answer to', contract.reply, answer.value) };
}

/** More at once would only wait in the same line until nobody listens any more. */
const MOST_AT_ONCE = 256;

const failed = (error: unknown): WireAnswer => {
  const told = (code: AppError['code'], message: string, retryable: boolean): WireAnswer => ({
    ok: false,
    error: { code, message, retryable },
  });
  if (error instanceof AppError) return told(error.code, error.message, error.retryable);
  if (isOutage(error))
    return told('store_unavailable', 'the database is away or too slow: try again later', true);
  return told('internal', 'the other service failed; its log says more', false);
};

export interface RequestServer {
  /** Takes no more, finishes what is in hand. */
  stop(): Promise<void>;
}

export function serveRequests(
  connection: NatsConnection,
  service: ServiceName,
  handlers: readonly RequestHandler[],
  onBug: (error: unknown, verb: string) => void,
): RequestServer {
  const inHand = new Set<Promise<void>>();

  const answerTo = async ({ contract, answer }: RequestHandler, message: Msg): Promise<WireAnswer> => {
    if (inHand.size >= MOST_AT_ONCE)
      return failed(new AppError('bus_unavailable', `the ${service} service is busy`, { retryable: true }));
    try {
      return await answer(message.json());
    } catch (error) {
      if (!(error instanceof AppError) && !isOutage(error)) onBug(error, contract.verb);
      return failed(error);
    }
  };

  const respond = async (handler: RequestHandler, message: Msg): Promise<void> => {
    const answer = JSON.stringify(await answerTo(handler, message));
    try {
      message.respond(answer);
    } catch (error) {
      // Larger than the server takes, or the connection is closing: then nobody waits any more.
      onBug(error, handler.contract.verb);
      if (!connection.isClosed()) message.respond(JSON.stringify(failed(error)));
    }
  };

  const subscriptions = handlers.map((handler) =>
    connection.subscribe(requestSubject(service, handler.contract.verb), {
      queue: durableOf(service),
      callback: (error, message) => {
        if (error !== null) return;
        const { verb } = handler.contract;
        const span = { name: `${service}.${verb}`, kind: 'server' } as const;
        const work = during(workOf(message), () => inSpan(span, () => respond(handler, message))).finally(
          () => inHand.delete(work),
        );
        inHand.add(work);
      },
    }),
  );
  return {
    async stop() {
      await Promise.all(subscriptions.map((subscription) => subscription.drain()));
      await Promise.all(inHand);
    },
  };
}
