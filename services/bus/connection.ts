import { connect, type NatsConnection } from 'nats';
import { AppError } from '../../contracts/errors.ts';

/**
 * Connects and stays: it waits for a server that starts later and reconnects for ever.
 * @param url one NATS URL or several, separated by commas.
 */
export async function connectNats(url: string, name: string): Promise<NatsConnection> {
  const servers = url.split(',').map((server) => server.trim());
  try {
    return await connect({
      servers,
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
