import { ErrorCode, type NatsConnection, NatsError, type ServiceMsg } from 'nats';

export interface AgentAnswer {
  readonly ok: boolean;
  /** For a no: the HTTP status and a line of text, as NATS services say them in headers. */
  readonly status: number;
  readonly title: string;
  /** JSON text. */
  readonly body: string;
}

export interface AgentEndpoint {
  readonly subject: string;
  /** Short and unique; shown by `$SRV.INFO`. */
  readonly name: string;
  readonly description: string;
  readonly answer: (payload: string) => Promise<AgentAnswer>;
}

/** What is asked for under a subject of many, and is nobody's: without an answer an agent would wait for one. */
export interface Unserved {
  /** Ends in `>`. */
  readonly subject: string;
  /** @param subject that was asked. */
  readonly answer: (subject: string) => AgentAnswer;
}

export interface AgentService {
  /** Takes no more, finishes what is in hand. */
  stop(): Promise<void>;
}

const no = (status: number, title: string, code: string, detail?: string): AgentAnswer => ({
  ok: false,
  status,
  title,
  body: JSON.stringify({ type: `urn:oms:problem:${code}`, title, status, code, detail }),
});
const FAILED = no(500, 'Internal Server Error', 'internal');
const TOO_LARGE = no(
  413,
  'Payload Too Large',
  'body_too_large',
  'the answer is larger than a NATS message may be: ask for less at once, or over HTTP',
);

const NOT_UTF8 = no(422, 'Unprocessable Entity', 'body_invalid', 'the message is not UTF-8');
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Null: no text. Letters are not guessed: they would go onto a parcel. */
function textOf(message: ServiceMsg): string | null {
  try {
    return UTF8.decode(message.data);
  } catch {
    return null;
  }
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof NatsError && error.code === ErrorCode.MaxPayloadExceeded;

function send(message: ServiceMsg, { ok, status, title, body }: AgentAnswer): void {
  const bytes = new TextEncoder().encode(body);
  if (ok) message.respond(bytes);
  else message.respondError(status, title, bytes);
}

const SERVICE = 'oms';
/** The version of the operations, as NATS services carry one. */
const VERSION = '1.0.0';

/**
 * Whether a copy has an endpoint for the subject: in an upgrade those of the new release serve what others never heard of,
 * and a no from one of these would arrive before the answer, for what is being carried out.
 */
async function isServedBySome(connection: NatsConnection, subject: string): Promise<boolean> {
  const copies = await connection.services.client().info(SERVICE);
  for await (const { endpoints } of copies)
    if (endpoints.some((endpoint) => endpoint.subject === subject)) return true;
  return false;
}

/**
 * The order manager as a NATS service: agents find it by `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS`, and its copies
 * share the requests. A no arrives with the headers `Nats-Service-Error-Code` and `Nats-Service-Error`, and the problem
 * as its body.
 * @param onBug told of every error that no endpoint foresaw; the agent is told that we failed, and nothing more.
 * @param unserved answers what no endpoint does.
 */
export async function serveAgents(
  connection: NatsConnection,
  endpoints: readonly AgentEndpoint[],
  onBug: (error: unknown, subject: string) => void,
  unserved?: Unserved,
): Promise<AgentService> {
  const service = await connection.services.add({
    name: SERVICE,
    version: VERSION,
    description: 'Orders, supplier orders, holds and product mappings of the order manager',
    queue: SERVICE,
  });
  const inHand = new Set<Promise<void>>();
  const say = (message: ServiceMsg, answered: AgentAnswer, subject: string): void => {
    try {
      send(message, answered);
    } catch (error) {
      if (isTooLarge(error)) send(message, TOO_LARGE);
      // The connection is closing: nobody waits any more.
      else onBug(error, subject);
    }
  };
  const respond = async ({ answer, subject }: AgentEndpoint, message: ServiceMsg): Promise<void> => {
    const payload = textOf(message);
    const answering = payload === null ? Promise.resolve(NOT_UTF8) : answer(payload);
    const answered = await answering.catch((error: unknown) => {
      onBug(error, subject);
      return FAILED;
    });
    say(message, answered, subject);
  };
  for (const endpoint of endpoints) {
    service.addEndpoint(endpoint.name, {
      subject: endpoint.subject,
      metadata: { description: endpoint.description },
      handler: (error, message) => {
        if (error !== null) return;
        const work = respond(endpoint, message).finally(() => inHand.delete(work));
        inHand.add(work);
      },
    });
  }
  if (unserved !== undefined) {
    const served = new Set(endpoints.map(({ subject }) => subject));
    service.addEndpoint('unserved', {
      subject: unserved.subject,
      // Of one queue, it would get a share of the requests that have their endpoint.
      queue: `${SERVICE}-unserved`,
      metadata: { description: 'Says of every other subject that it is no operation' },
      handler: (error, message) => {
        const { subject } = message;
        if (error !== null || served.has(subject)) return;
        // Where the copies cannot be asked, nobody is known to serve it.
        const work = isServedBySome(connection, subject)
          .catch(() => false)
          .then((isServed) => {
            if (!isServed) say(message, unserved.answer(subject), unserved.subject);
          })
          .finally(() => inHand.delete(work));
        inHand.add(work);
      },
    });
  }
  return {
    async stop() {
      await service.stop();
      await Promise.all(inHand);
    },
  };
}
