import { createServer, type RequestListener } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { listenOn } from '../../deploy/sandbox/listen.ts';
import { leanFetch } from '../../services/shopify/lean-fetch.ts';

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  const port = await listenOn(server, '127.0.0.1', 0);
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return new URL(`http://127.0.0.1:${port}/admin/api?kept=yes`);
}

const ASKED = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"query":"é"}' };

test('what is asked arrives, and the answer has its status, headers and JSON', async () => {
  const heard: unknown[] = [];
  const url = await serve(async (request, response) => {
    heard.push(request.method, request.url, request.headers['content-type'], await textOf(request));
    response.writeHead(429, { 'Retry-After': '2', 'X-Two': ['a', 'b'] }).end('{"data":"ü"}');
  });
  const answer = await leanFetch(url, ASKED);
  expect(heard).toEqual(['POST', '/admin/api?kept=yes', 'application/json', ASKED.body]);
  expect([answer.ok, answer.status, answer.headers.get('retry-after')]).toEqual([false, 429, '2']);
  expect(answer.headers.get('x-two')).toBe('a, b');
  expect(await answer.json()).toEqual({ data: 'ü' });
});

test('a packed answer is unpacked', async () => {
  const url = await serve((request, response) => {
    expect(request.headers['accept-encoding']).toBe('gzip');
    response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync('{"data":"ü"}'));
  });
  expect(await (await leanFetch(url, ASKED)).text()).toBe('{"data":"ü"}');
});

test('a redirect is an answer, and nobody goes there', async () => {
  let calls = 0;
  const url = await serve((_request, response) => {
    calls += 1;
    response.writeHead(307, { Location: '/elsewhere' }).end();
  });
  const answer = await leanFetch(url, ASKED);
  expect([answer.status, answer.ok, calls]).toEqual([307, false, 1]);
});

test('an answer that is cut off, or waited for too long, is none', async () => {
  const cut = await serve((_request, response) => {
    response.writeHead(200, { 'Content-Length': '100' }).write('{"data":');
    setImmediate(() => response.destroy());
  });
  await expect(leanFetch(cut, ASKED)).rejects.toThrow();
  const silent = await serve(() => {});
  await expect(leanFetch(silent, { ...ASKED, signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/i);
});
