import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { type HttpRequest, sendingWithin, sendOnce } from '../../services/send-once.ts';
import { exchangeText } from '../../services/suppliers/exchange.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';

const never = new AbortController().signal;

/** Serves until the test ends. @returns its origin, and what it was asked. */
async function serving(answer: RequestListener): Promise<{ origin: string; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await server[Symbol.asyncDispose]();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('it listens on a port');
  return { origin: `http://127.0.0.1:${address.port}`, asked };
}

const aRequest = (origin: string, changes: Partial<HttpRequest> = {}): HttpRequest => ({
  url: new URL(`${origin}/buy?units=1&units=2`),
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"city":"Besançon"}',
  signal: never,
  ...changes,
});

/** As the clients tell it of a purchase. */
const failureOf = async (request: HttpRequest, send = sendOnce): Promise<SupplierError> => {
  const noVerdict = (reason: string, evidence: SupplierError['evidence'], cause?: unknown) =>
    new SupplierError('unknown_outcome', reason, evidence, cause);
  const told = await exchangeText(send, { name: 'buy', ...request }, noVerdict).catch(
    (error: unknown) => error,
  );
  if (!(told instanceof SupplierError)) throw new Error('expected a SupplierError', { cause: told });
  return told;
};

test('a request goes out as it was made, and its answer comes whole, whatever its status', async () => {
  const bodies: string[] = [];
  const { origin, asked } = await serving(async (request, response) => {
    const chunks: Buffer[] = await request.toArray();
    bodies.push(String(Buffer.concat(chunks)));
    response.writeHead(503).write('é'.repeat(40_000));
    response.end('!');
  });
  const { httpStatus, text } = await sendOnce(aRequest(origin));
  expect([httpStatus, text.length, text.at(-1)]).toEqual([503, 40_001, '!']);
  expect(bodies).toEqual(['{"city":"Besançon"}']);
  expect(asked[0]).toMatchObject({ method: 'POST', url: '/buy?units=1&units=2' });
  expect(asked[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '20' });
});

test('a connection serves many calls, though not two of one moment', async () => {
  const { origin, asked } = await serving((_request, response) => response.end('{}'));
  for (let n = 0; n < 8; n += 1) await sendOnce(aRequest(origin));
  expect(asked).toHaveLength(8);
  expect(new Set(asked.map(({ socket }) => socket.remotePort)).size).toBeLessThanOrEqual(2);
});

test('a packed answer is unpacked, and one that cannot be is none', async () => {
  const packed = gzipSync('{"fine":true}');
  const { origin, asked } = await serving((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(asked.length === 1 ? packed : 'not packed');
  });
  await expect(sendOnce(aRequest(origin, { method: 'GET' }))).resolves.toMatchObject({
    text: '{"fine":true}',
  });
  await expect(failureOf(aRequest(origin))).resolves.toMatchObject({ failureClass: 'unknown_outcome' });
});

test('a redirect is not followed: it would buy again, and tell the token to a stranger', async () => {
  const { origin, asked } = await serving((_request, response) =>
    response.writeHead(307, { location: '/elsewhere' }).end(),
  );
  await expect(sendOnce(aRequest(origin))).resolves.toMatchObject({ httpStatus: 307, text: '' });
  expect(asked).toHaveLength(1);
});

test('nothing was sent where no connection came about', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const address = gone.address();
  await gone[Symbol.asyncDispose]();
  const port = typeof address === 'object' ? address?.port : undefined;
  await expect(failureOf(aRequest(`http://127.0.0.1:${port}`))).resolves.toMatchObject({
    failureClass: 'transient',
    evidence: { network: 'ECONNREFUSED', sent: false },
  });
  await expect(failureOf(aRequest('http://no-such-host.invalid'))).resolves.toMatchObject({
    failureClass: 'transient',
    evidence: { sent: false },
  });
});

test.each([
  ['before its answer', ''],
  ['in the middle of its answer', '{"half":'],
])('a connection that ends %s leaves a doubt, and the request is not sent again', async (_, begun) => {
  const { origin, asked } = await serving((request, response) => {
    if (begun === '') request.socket.destroy();
    else response.write(begun, () => request.socket.destroy());
  });
  const error = await failureOf(aRequest(origin));
  expect(error).toMatchObject({ failureClass: 'unknown_outcome', evidence: { network: expect.any(String) } });
  expect(error.evidence).not.toHaveProperty('sent');
  expect(asked).toHaveLength(1);
});

test.each([
  ['before its answer', ''],
  ['in the middle of its answer', '{"half":'],
])('a call that is given up %s is in doubt, and its connection is not used again', async (_, begun) => {
  const stop = new AbortController();
  let calls = 0;
  const { origin, asked } = await serving((_request, response) => {
    calls += 1;
    if (calls > 1) response.end('{}');
    else if (begun === '') stop.abort();
    else response.write(begun, () => stop.abort());
  });
  await expect(failureOf(aRequest(origin, { signal: stop.signal }))).resolves.toMatchObject({
    failureClass: 'unknown_outcome',
    evidence: { network: 'aborted' },
  });
  await expect(sendOnce(aRequest(origin))).resolves.toMatchObject({ text: '{}' });
  expect(new Set(asked.map(({ socket }) => socket.remotePort)).size).toBe(2);
});

test.each([
  ['not answered', ''],
  ['not answered to the end', '{"half":'],
])('a request that is %s in its own time is given up and in doubt', async (_, begun) => {
  const { origin } = await serving((_request, response) => {
    if (begun !== '') response.write(begun);
  });
  const error = await failureOf(aRequest(origin), sendingWithin(200));
  expect(error).toMatchObject({ failureClass: 'unknown_outcome', evidence: { network: 'aborted' } });
  expect(error.evidence).not.toHaveProperty('sent');
});

test('a call that was given up before it began is never sent', async () => {
  const { origin, asked } = await serving((_request, response) => response.end('{}'));
  const error = await failureOf(aRequest(origin, { method: 'DELETE', signal: AbortSignal.abort() }));
  expect(error.evidence).toEqual({ network: 'aborted' });
  await sendOnce(aRequest(origin));
  expect(asked.map(({ method }) => method)).toEqual(['POST']);
});
