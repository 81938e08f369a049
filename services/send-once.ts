import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Agent } from 'undici';

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | null;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly httpStatus: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/**
 * Sends once and reads the answer whole: it repeats nothing and follows no redirect, which would repeat a purchase and
 * hand the token to another host. Rejects when the answer did not come whole; an error that names why in `code` keeps it.
 */
export type Send = (request: HttpRequest) => Promise<HttpAnswer>;

const unpack = promisify(gunzip);

/** Connections are kept, and reused one call after the other; idle ones keep no process alive. */
const connections = new Agent();

/** By undici itself: `fetch`, which stands on it, costs five times as much for each call. */
export const sendOnce: Send = async ({ url, method, headers, body = null, signal }) => {
  const answer = await connections.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    headers: { 'user-agent': 'order-manager', 'accept-encoding': 'gzip', ...headers },
    body,
    signal,
  });
  const isPacked = answer.headers['content-encoding'] === 'gzip';
  const text = isPacked ? String(await unpack(await answer.body.bytes())) : await answer.body.text();
  return { httpStatus: answer.statusCode, headers: answer.headers, text };
};

/** The same, given up after so long: the caller's signal may be that of more than this one request. */
export const sendingWithin =
  (answerMs: number): Send =>
  (request) =>
    sendOnce({ ...request, signal: AbortSignal.any([request.signal, AbortSignal.timeout(answerMs)]) });
