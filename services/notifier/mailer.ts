import { Readable } from 'node:stream';
import { BrokenCircuitError, bulkhead, handleWhen, wrap } from 'cockatiel';
import { createTransport } from 'nodemailer';
import addressparser from 'nodemailer/lib/addressparser';
import { z } from 'zod';
import { AppError } from '../../contracts/errors.ts';
import type { Evidence } from '../../contracts/vocabulary.ts';
import { breakerStateOf, type CallOutcome, outsideCall, watchBreaker } from '../outside-call.ts';
import { steadyBreaker } from '../steady-breaker.ts';
import { type OutgoingMail, toMessage } from './mime-message.ts';

export interface MailerOptions {
  readonly host: string;
  /** 465 speaks TLS from the first byte; elsewhere STARTTLS is used when the server offers it. */
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  /** One address, with or without a name: `Lantern <hello@lantern.example>`. */
  readonly from: string;
  /** One bare address; absent: answers go to `from`. */
  readonly replyTo?: string | undefined;
  /** For one send, from its turn on a connection to the server's last word. Waiting for the turn is not in it. */
  readonly timeoutMs: number;
  /** A mail that has waited longer for its turn is not sent, and refused for now; absent: it waits. */
  readonly turnTimeoutMs?: number;
  /** How long the mailer leaves a server alone that could not be reached five times in a row. */
  readonly halfOpenAfterMs?: number;
}

/**
 * - `sent`: the server took it.
 * - `refused_for_now`: it surely was not taken, and the same mail may be sent again later.
 * - `refused`: the server (or the address itself) says that it will never be taken.
 * - `doubt`: the connection or the time ended after the message had begun to flow; it may have been taken.
 *
 * The evidence holds codes only, never an address nor the server's text, which likes to repeat one.
 */
export interface MailOutcome {
  readonly result: 'sent' | 'refused_for_now' | 'refused' | 'doubt';
  readonly evidence: Evidence;
}

const OUTCOMES = {
  sent: 'ok',
  refused_for_now: 'transient',
  refused: 'permanent',
  doubt: 'unknown_outcome',
} as const;
const outcomeOf = ({ result, evidence }: MailOutcome): CallOutcome =>
  evidence.breaker === 'open' ? 'not_sent' : OUTCOMES[result];

export interface Mailer {
  /** Tries once; what a server or network does is an outcome and no exception. */
  send(mail: OutgoingMail): Promise<MailOutcome>;
  /** Lets the mails under way end, within `timeoutMs`; those that wait for their turn are refused for now. */
  close(): Promise<void>;
}

const DEFAULT_HALF_OPEN_AFTER_MS = 10_000;
const FAILURES_TO_OPEN = 5;
const CONNECTIONS = 5;

// Each field for itself: one of an unexpected kind must not take the reply code with it.
const text = z.string().optional().catch(undefined);
const Failure = z.object({
  name: text,
  code: text,
  originalCode: text,
  timeoutType: text,
  command: text,
  response: text,
  responseCode: z.int().optional().catch(undefined),
  permanent: z.boolean().optional().catch(undefined),
});
type Failure = z.infer<typeof Failure>;

function toFailure(error: unknown): Failure & { code: string } {
  const failure: Failure = Failure.safeParse(error).data ?? {};
  // Nothing but its time limit breaks a send off.
  const code = failure.code === 'EABORT' ? 'ETIMEDOUT' : failure.code;
  return { ...failure, code: code ?? failure.name ?? 'unknown' };
}

const CONNECTION_CODES = new Set(['ECONNECTION', 'ESOCKET', 'ETIMEDOUT', 'EDNS', 'ETLS']);
const isConnectionFailure = (error: unknown): boolean => CONNECTION_CODES.has(toFailure(error).code);

/** The enhanced status code (RFC 3463) that may follow the reply code: "550 5.1.1 ...". */
const statusOf = (response: string): string | undefined =>
  /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})(?!\S)/.exec(response)?.[1];

function toEvidence(parts: Record<string, string | number | undefined>): Evidence {
  const evidence: Evidence = {};
  for (const [name, value] of Object.entries(parts)) if (value !== undefined) evidence[name] = value;
  return evidence;
}

// The server wants a login or encryption first: a fault of our settings, not of this mail.
const LOGIN_REPLIES = new Set([530, 534, 535, 538]);

/**
 * Only an answer to the message itself (its recipient or content) can refuse it for ever; a greeting, login or sender
 * that is refused with 5xx says nothing about the mail, which goes out once that is mended.
 */
function judge(error: unknown, hasBodyBegun: boolean): MailOutcome {
  const { code, originalCode, timeoutType, command, responseCode, response, permanent } = toFailure(error);
  const evidence = toEvidence({
    code,
    cause: originalCode ?? timeoutType,
    command,
    reply: responseCode,
    status: statusOf(response ?? ''),
  });
  if (code === 'EENVELOPE' || code === 'EMESSAGE') {
    // Our own library refuses to send it. An answer without a code is no refusal but noise.
    if (responseCode === undefined && response === undefined && !hasBodyBegun)
      return { result: 'refused', evidence };
    if (responseCode !== undefined && responseCode >= 400) {
      const isOfMail = command !== 'MAIL FROM' && !LOGIN_REPLIES.has(responseCode);
      const isFinal = permanent === true && isOfMail;
      return { result: isFinal ? 'refused' : 'refused_for_now', evidence };
    }
  }
  return { result: hasBodyBegun ? 'doubt' : 'refused_for_now', evidence };
}

// One bare address and nothing that a mail library could read as a list, a group or a header.
const ADDRESS = /^[^\s\p{C}@<>()[\]\\,;:"]+@[^\s\p{C}@<>()[\]\\,;:"]+$/u;
const isAddress = (text: string): boolean => text.length <= 254 && ADDRESS.test(text);
const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1)$/i.test(host);

function assertUsable({ from, username, password }: MailerOptions): void {
  const [sender, ...others] = addressparser(from);
  if (others.length > 0 || !isAddress(sender?.address ?? '')) {
    throw new AppError('settings_invalid', 'EMAIL_FROM: is not one mail address', {
      retryable: false,
    });
  }
  if ((username === undefined) !== (password === undefined)) {
    throw new AppError('settings_invalid', 'SMTP_USERNAME, SMTP_PASSWORD: set both or neither', {
      retryable: false,
    });
  }
}

function createPool({ host, port, username, password, timeoutMs }: MailerOptions) {
  const hasLogin = username !== undefined && password !== undefined;
  return createTransport({
    pool: true,
    maxConnections: CONNECTIONS,
    host,
    port,
    secure: port === 465,
    requireTLS: hasLogin && port !== 465 && !isLoopback(host),
    tls: { rejectUnauthorized: !isLoopback(host) },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // The pool would send a mail again by itself when its connection closes; repeating is the caller's decision.
    maxRequeues: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(hasLogin ? { auth: { user: username, pass: password } } : {}),
  });
}

const inOnePiece = (bytes: Buffer): Readable =>
  new Readable({
    read() {
      this.push(bytes);
      this.push(null);
    },
  });

/** Waited so long for a turn on a connection that nobody may count on it any more. */
class NoTurnError extends Error {
  override name = 'NoTurnError';
}

/**
 * Sends over a pool of SMTP connections, behind a circuit breaker that opens only when the server cannot be reached.
 * Login data never leaves this machine unencrypted; on loopback neither encryption nor a valid certificate is needed.
 * @throws AppError `settings_invalid` when `from` is not exactly one address, or the login is half there.
 */
export function createMailer(options: MailerOptions): Mailer {
  assertUsable(options);
  const pool = createPool(options);
  const breaker = steadyBreaker(
    handleWhen(isConnectionFailure),
    FAILURES_TO_OPEN,
    options.halfOpenAfterMs ?? DEFAULT_HALF_OPEN_AFTER_MS,
  );
  // A mail that waits for others of ours must not run out of time and be taken for a silent server.
  const policy = wrap(bulkhead(CONNECTIONS, Number.POSITIVE_INFINITY), breaker);
  watchBreaker('smtp', () => breakerStateOf(breaker.state));
  const underWay = new Set<Promise<MailOutcome>>();

  // The library would lead the message, which is in one piece already, through three more streams. Each send has a
  // signal of its own, by which its message is known here.
  const bodies = new WeakMap<AbortSignal, Readable>();
  pool.use('stream', (mail, done) => {
    const body = mail.data.signal && bodies.get(mail.data.signal);
    if (body !== undefined) mail.message.createReadStream = () => body;
    done();
  });

  async function deliver(mail: OutgoingMail): Promise<MailOutcome> {
    const sending: { body?: Readable } = {};
    const asked = performance.now();
    try {
      const { response } = await policy.execute(() => {
        if (performance.now() - asked > (options.turnTimeoutMs ?? Number.POSITIVE_INFINITY))
          throw new NoTurnError();
        const deadline = AbortSignal.timeout(options.timeoutMs);
        const message = toMessage({ ...mail, from: options.from, replyTo: options.replyTo });
        sending.body = inOnePiece(message.raw);
        bodies.set(deadline, sending.body);
        return pool.sendMail({ ...message, messageId: mail.messageId, signal: deadline });
      });
      const reply = Number.parseInt(response, 10);
      return { result: 'sent', evidence: toEvidence({ reply, status: statusOf(response) }) };
    } catch (error) {
      if (error instanceof BrokenCircuitError) {
        return { result: 'refused_for_now', evidence: { breaker: 'open' } };
      }
      // A lost connection looks the same before and after DATA, but the message is only read once the server has said
      // "go ahead" to it.
      return judge(error, sending.body?.readableDidRead === true);
    }
  }

  return {
    async send(mail) {
      if (!isAddress(mail.to)) return { result: 'refused', evidence: { code: 'address_invalid' } };
      const sending = outsideCall('smtp', 'send', () => deliver(mail), {
        result: outcomeOf,
        error: () => 'unforeseen',
      });
      underWay.add(sending);
      return sending.finally(() => underWay.delete(sending));
    },
    async close() {
      pool.close();
      await Promise.allSettled(underWay);
    },
  };
}
