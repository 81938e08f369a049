import type { Evidence } from '../../contracts/vocabulary.ts';
import type { HttpAnswer, HttpRequest, Send } from '../send-once.ts';
import { isTooLateToSend } from '../sending-until.ts';
import { cutTo } from '../store/storable.ts';
import { SupplierError } from './supplier-error.ts';

const MAX_EVIDENCE_TEXT = 200;

/** Suppliers' texts may quote what they dislike: mail addresses and long numbers are struck out, the rest is cut. */
export const withoutPersonalData = (text: string): string => {
  const kept = text.replace(/[^\s@"]+@[^\s@"]+/g, '…').replace(/\+?\d[\d\s()-]{6,}\d/g, '…');
  return cutTo(MAX_EVIDENCE_TEXT, kept);
};

/** The connection was never made, so nothing can have been bought. */
const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

/** Without a way to the host it fails in many ways, all of them while connecting; of several addresses, to each. */
const isOfConnecting = (error: unknown): boolean =>
  error instanceof AggregateError
    ? error.errors.length > 0 && error.errors.every(isOfConnecting)
    : error instanceof Error && 'syscall' in error && error.syscall === 'connect';

const networkCode = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;

/** What happens before the request leaves cannot have bought anything. */
export async function beforeSending<T>(step: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof SupplierError) throw cause;
    throw new SupplierError(
      'transient',
      `nothing sent: ${step} failed`,
      { step, sent: false, outage: false },
      cause,
    );
  }
}

/** By us: by whoever called, or by `send` itself for want of an answer in time. */
const isGivenUp = ({ signal }: HttpRequest, cause: unknown): boolean =>
  signal.aborted || (cause instanceof Error && cause.name === 'TimeoutError');

export interface Outgoing extends HttpRequest {
  /** For messages: the call by its name at the supplier. */
  readonly name: string;
}

/** Makes the error for a request that may have arrived and got no verdict. */
export type NoVerdict = (reason: string, evidence: Evidence, cause?: unknown) => SupplierError;

/**
 * Sends once and reads the answer whole.
 * @throws SupplierError `transient` with evidence `sent: false` when no connection was made or it is too late to send,
 * else what `noVerdict` makes.
 */
export async function exchangeText(
  send: Send,
  { name, ...request }: Outgoing,
  noVerdict: NoVerdict,
): Promise<HttpAnswer> {
  if (isTooLateToSend())
    throw new SupplierError('transient', `${name}: too late to send`, { sent: false, outage: false });
  try {
    return await send(request);
  } catch (cause) {
    const code = networkCode(cause);
    const evidence = { network: isGivenUp(request, cause) ? 'aborted' : (code ?? 'cut') };
    const isConnected = !isOfConnecting(cause) && (code === null || !NEVER_CONNECTED.has(code));
    if (isConnected) throw noVerdict('no answer', evidence, cause);
    throw new SupplierError('transient', `${name}: no connection`, { ...evidence, sent: false }, cause);
  }
}
