import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import type { Faults } from './faults.ts';
import { listenOn } from './listen.ts';
import type { Mailbox } from './mailbox.ts';

export interface SmtpEnd {
  readonly port: number;
  stop(): Promise<void>;
}

/** A transient refusal with that reply code. */
const refusal = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode });

/**
 * A mail server without TLS that takes any login and needs none. Faults of `smtp.data` strike after the
 * whole message has arrived: `rate_limit` is 451, `error_before` 452, the rest by their names.
 */
export async function startSmtp({
  host,
  port,
  mailbox,
  faults,
}: {
  host: string;
  port: number;
  mailbox: Mailbox;
  faults: Faults;
}): Promise<SmtpEnd> {
  const socketOf = (session: SMTPServerSession) =>
    [...server.connections].find(({ id }) => id === session.id)?._socket;

  const accept = (session: SMTPServerSession, raw: Buffer): void => {
    const { mailFrom, rcptTo } = session.envelope;
    const from = mailFrom === false ? '' : mailFrom.address;
    mailbox.receive({ from, to: rcptTo.map(({ address }) => address), raw });
  };

  /** Resolves to whether an answer shall be given at all; rejects with the refusal to answer. */
  const handle = async (session: SMTPServerSession, raw: Buffer): Promise<boolean> => {
    const fault = faults.next(['smtp.data']);
    if (fault?.kind === 'rate_limit') throw refusal(451, '4.7.1 Too many messages, try again later');
    if (fault?.kind === 'error_before') throw refusal(452, '4.3.1 Insufficient system storage');
    if (fault?.kind !== 'no_answer_before') accept(session, raw);
    switch (fault?.kind) {
      case 'slow':
        await delay(fault.delayMs, undefined, { ref: false });
        return true;
      case 'garbage':
        socketOf(session)?.end('!#\u0001 not a reply\r\n');
        return false;
      case 'no_answer_before':
      case 'no_answer_after':
      case 'error_after':
        socketOf(session)?.destroy();
        return false;
      default:
        return true;
    }
  };

  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 1,
    onAuth: (auth, _session, callback) => callback(null, { user: auth.username ?? 'anyone' }),
    onData(stream, session, callback) {
      buffer(stream)
        .then((raw) => handle(session, raw))
        .then(
          (answers) => answers && callback(null, 'Message accepted'),
          (error: unknown) =>
            callback(error instanceof Error ? error : new Error('failed', { cause: error })),
        );
    },
  });
  // Clients that vanish in the middle of a session are part of the game.
  server.on('error', () => {});

  const listeningPort = await listenOn(server.server, host, port);
  return {
    port: listeningPort,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}
