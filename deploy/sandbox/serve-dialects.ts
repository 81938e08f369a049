import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Answer, Dialect } from './exchange.ts';

const FAILED: Answer = { status: 500, headers: {}, body: 'Internal Server Error' };

async function answerOf(
  dialect: Dialect,
  request: IncomingMessage,
  path: string,
  body: string,
): Promise<Answer> {
  const { method = '', url = '', headers, socket } = request;
  const query = new URLSearchParams(url.slice(path.length));
  try {
    return await dialect({ method, path, query, headers, body, cut: () => socket.destroy() });
  } catch (error) {
    console.error('sandbox:', error);
    return FAILED;
  }
}

/** One write for head and body together: they cost as much as everything else of a small answer. */
function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/**
 * A server that hands what is below one of the paths to its dialect, and the rest to `others`. Plain `node:http`: the
 * dialects get some dozens of calls for each order, and a benchmark pays for each of them.
 */
export function serveDialects(
  dialects: Readonly<Record<string, Dialect>>,
  others: (request: IncomingMessage, response: ServerResponse) => unknown,
): Server {
  const known = Object.entries(dialects);
  return createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    const dialect = known.find(([base]) => path === base || path.startsWith(`${base}/`))?.[1];
    if (dialect === undefined) {
      others(request, response);
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    // A caller that vanishes in the middle gets no answer, and what it asked for does not happen.
    request.on('error', () => {});
    request.once('end', () => {
      const body = (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString('utf8') ?? '';
      answerOf(dialect, request, path, body).then((answer) => send(response, answer));
    });
  });
}
