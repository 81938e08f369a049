import {
  type ConnectionOptions,
  connect,
  ErrorCode,
  type NatsConnection,
  NatsError,
  nkeyAuthenticator,
} from 'nats';
import { AppError } from '../../contracts/errors.ts';

/**
 * One URL or several, separated by commas: `nats://host:4222` or `host:4222`, with `tls://` for TLS. A login stands before the host,
 * the same for all: the seed of an nkey (`nats://SU...@host`) or `user:password@`.
 */
export function toConnectOptions(url: string): ConnectionOptions {
  const urls = url
    .split(',')
    .map((server) => server.trim())
    .map((server) => new URL(server.includes('://') ? server : `nats://${server}`));
  const { username, password } = urls.find((server) => server.username !== '') ?? {
    username: '',
    password: '',
  };
  const servers = urls.map(({ protocol, host }) => `${protocol}//${host}`);
  const [name, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
  // Without this the client would go on in clear text where the server does not ask for more.
  const tls = urls.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {};
  if (name === '') return { servers, ...tls };
  if (secret !== '') return { servers, ...tls, user: name, pass: secret };
  return { servers, ...tls, authenticator: nkeyAuthenticator(new TextEncoder().encode(name)) };
}

const OUTAGES: readonly string[] = [
  ErrorCode.Timeout,
  ErrorCode.NoResponders,
  ErrorCode.ConnectionClosed,
  ErrorCode.ConnectionTimeout,
  ErrorCode.Disconnect,
];

/** NATS or its JetStream is away for now. */
export const isBusOutage = (error: unknown): boolean =>
  error instanceof NatsError && OUTAGES.includes(error.code);

/**
 * Connects and stays: it waits for a server that starts later and reconnects for ever.
 * @param url as `toConnectOptions` takes it. @throws AppError `bus_unavailable` when it is refused or is no URL.
 */
export async function connectNats(url: string, name: string): Promise<NatsConnection> {
  try {
    return await connect({
      ...toConnectOptions(url),
      name: `order-manager ${name}`,
      inboxPrefix: `_INBOX_${name}`,
      // The default gives up for good after about 21 s of outage.
      maxReconnectAttempts: -1,
      reconnectTimeWait: 500,
      reconnectJitter: 500,
      waitOnFirstConnect: true,
      // Notices a dead peer after 20 s instead of four minutes.
      pingInterval: 10_000,
      maxPingOut: 2,
      timeout: 5_000,
    });
  } catch (cause) {
    throw new AppError('bus_unavailable', 'NATS refuses the connection at NATS_URL', {
      retryable: true,
      cause,
    });
  }
}
