import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../deploy/local/free-port.ts';
import { inSpan, openSpan, startTracing } from '../../services/tracing.ts';
import { currentWork, during } from '../../services/work.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../fixtures/otlp-receiver.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const traceparent = `00-${TRACE}-${CALLER}-01`;

async function aReceiver(): Promise<OtlpReceiver> {
  const receiver = await startOtlpReceiver(await freePort());
  onTestFinished(() => receiver.stop());
  return receiver;
}

test('while nobody asks for traces a trace context is carried on and nothing is made', async () => {
  const stop = await startTracing({}, 'test');
  const seen = await during({ traceparent }, () =>
    inSpan({ name: 'work', kind: 'internal' }, async () => currentWork()?.traceparent),
  );
  expect(seen).toBe(traceparent);
  expect(
    openSpan(() => {
      throw new Error('nobody may be asked what the span would be');
    }),
  ).toBeUndefined();
  await stop();
});

test('spans name what caused them, and a failure by its kind and not by its words', async () => {
  const receiver = await aReceiver();
  const stop = await startTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint }, 'test');
  const failing = () =>
    inSpan({ name: 'inner', kind: 'client' }, async () => {
      throw new TypeError('robin@probe.example');
    });
  await expect(
    during({ traceparent }, () => inSpan({ name: 'outer', kind: 'server' }, failing)),
  ).rejects.toThrow(TypeError);
  await stop();
  const [outer, inner] = ['outer', 'inner'].map((name) => receiver.spans.find((span) => span.name === name));
  expect(outer).toMatchObject({ service: 'test', traceId: TRACE, parentSpanId: CALLER });
  expect(inner).toMatchObject({ traceId: TRACE, parentSpanId: outer?.spanId });
  expect(receiver.bodies.join('')).toContain('"error.type","value":{"stringValue":"TypeError"}');
  expect(receiver.bodies.join('')).not.toContain('robin');
});

test('what its caller does not want sampled is carried on and not sent', async () => {
  const receiver = await aReceiver();
  const stop = await startTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint }, 'test');
  const seen = await during({ traceparent: `00-${TRACE}-${CALLER}-00` }, () =>
    inSpan({ name: 'quiet', kind: 'server' }, async () => currentWork()?.traceparent),
  );
  expect(seen).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  await stop();
  expect(receiver.spans).toEqual([]);
});

test('a collector that is away hinders neither the work nor the end', async () => {
  const stop = await startTracing(
    { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` },
    'test',
  );
  expect(await inSpan({ name: 'work', kind: 'internal' }, async () => 'done')).toBe('done');
  await stop();
});
