import { expect, inject, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { AppError } from '../../contracts/errors.ts';
import { no, type RequestContract, yes } from '../../contracts/requests/request.ts';
import { type Bus, openBus } from '../../services/bus/bus.ts';
import { answering, type RequestHandler } from '../../services/bus/requests.ts';
import { currentWork, during } from '../../services/work.ts';
import { aProbe } from '../fixtures/probe-nats.ts';

const PATIENCE_MS = 10_000;

/** Verbs of its own for each test: all of them share one server. */
const aContract = () =>
  ({
    service: 'suppliers',
    verb: `double_${crypto.randomUUID().slice(0, 8)}`,
    request: z.object({ number: z.int() }),
    reply: z.object({ doubled: z.int() }),
  }) satisfies RequestContract;

async function aBus(): Promise<Bus> {
  const bus = await openBus(inject('bareNatsUrl'), 'test');
  onTestFinished(() => bus.close());
  return bus;
}

async function aServer(handler: RequestHandler, bugs: unknown[] = []): Promise<void> {
  const bus = await aBus();
  const server = bus.serveRequests('suppliers', [handler], (error) => bugs.push(error));
  onTestFinished(() => server.stop());
}

/** A subscription is a message to the server too: it is there when an answer comes. */
async function ask(bus: Bus, contract: ReturnType<typeof aContract>) {
  for (;;) {
    try {
      return await bus.request(contract, { number: 21 }, PATIENCE_MS);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'bus_unavailable') throw error;
    }
  }
}

test('a request is answered by one of the copies, in the words of its contract', async () => {
  const contract = aContract();
  let answers = 0;
  const handler = answering(contract, async ({ number }) => {
    answers += 1;
    return yes({ doubled: number * 2 });
  });
  await aServer(handler);
  await aServer(handler);
  const bus = await aBus();
  expect(await ask(bus, contract)).toEqual({ ok: true, value: { doubled: 42 } });
  expect(answers).toBe(1);
});

test('a foreseen no travels as data', async () => {
  const contract = aContract();
  const failure = { failureClass: 'not_found' as const, message: 'no such number', evidence: { code: 7 } };
  await aServer(answering(contract, async () => no(failure)));
  expect(await ask(await aBus(), contract)).toEqual({ ok: false, failure });
});

test('nobody there, nobody in time and a wrong answer are told apart', async () => {
  const bus = await aBus();
  const nobody = bus.request(aContract(), { number: 1 }, PATIENCE_MS);
  await expect(nobody).rejects.toMatchObject({ code: 'bus_unavailable', retryable: true });

  const slow = aContract();
  const probe = await aProbe(inject('bareNatsUrl'));
  probe.connection.subscribe(`oms.req.suppliers.${slow.verb}`);
  await probe.connection.flush();
  await expect(bus.request(slow, { number: 1 }, 50)).rejects.toMatchObject({ code: 'request_timeout' });

  const wrong = aContract();
  await aServer({ contract: wrong, answer: async () => yes({ doubled: 'much' }) });
  await expect(ask(bus, wrong)).rejects.toMatchObject({ code: 'message_invalid', retryable: false });
});

test('what the other side throws is thrown here: its own errors by their code, a bug without its words', async () => {
  const bus = await aBus();
  const away = aContract();
  await aServer(
    answering(away, async () => {
      throw new AppError('store_unavailable', 'the database is away', { retryable: true });
    }),
  );
  await expect(ask(bus, away)).rejects.toMatchObject({
    code: 'store_unavailable',
    message: 'the database is away',
    retryable: true,
  });

  const buggy = aContract();
  const bugs: unknown[] = [];
  await aServer(
    answering(buggy, async () => {
      throw new TypeError('secret street 7');
    }),
    bugs,
  );
  const failure = await ask(bus, buggy).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'internal', retryable: false });
  expect(JSON.stringify(failure)).not.toContain('secret');
  expect(bugs).toEqual([expect.any(TypeError)]);
});

test('a request that breaks its contract reaches no handler', async () => {
  const contract = aContract();
  let isAsked = false;
  await aServer(
    answering(contract, async () => {
      isAsked = true;
      return yes({ doubled: 0 });
    }),
  );
  const bus = await aBus();
  const loose = { ...contract, request: z.object({ number: z.unknown() }) };
  await ask(bus, contract);
  isAsked = false;
  await expect(bus.request(loose, { number: 'two' }, PATIENCE_MS)).rejects.toMatchObject({
    code: 'message_invalid',
  });
  expect(isAsked).toBe(false);
});

test('a server that stops answers what it has in hand', async () => {
  const contract = aContract();
  const bus = await aBus();
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const handler = answering(contract, async ({ number }) => {
    begun.resolve();
    await gate.promise;
    return yes({ doubled: number * 2 });
  });
  const server = (await aBus()).serveRequests('suppliers', [handler], () => {});
  const answer = ask(bus, contract);
  await begun.promise;
  const stopped = server.stop();
  gate.resolve();
  expect(await answer).toEqual({ ok: true, value: { doubled: 42 } });
  await stopped;
  await expect(bus.request(contract, { number: 1 }, PATIENCE_MS)).rejects.toMatchObject({
    code: 'bus_unavailable',
  });
});

test('who asks, and in which trace, is known on the other side', async () => {
  const contract = aContract();
  const seen: unknown[] = [];
  const handler = answering(contract, async ({ number }) => {
    seen.push(currentWork());
    return yes({ doubled: number * 2 });
  });
  await aServer(handler);
  const bus = await aBus();
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  await during({ requestId: 'request-1', traceparent }, () => ask(bus, contract));
  await ask(bus, contract);
  expect(seen).toEqual([{ requestId: 'request-1', traceparent }, {}]);
});
