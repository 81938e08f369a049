import { setTimeout as delay } from 'node:timers/promises';
import { type ConsumerMessages, ErrorCode, type JetStreamClient, type JsMsg, NatsError } from 'nats';
import { AppError } from '../../contracts/errors.ts';
import { type Lane, STREAMS } from '../../contracts/subjects.ts';
import { ACK_WAIT_MS, durableOf } from './streams.ts';

export interface Command {
  readonly subject: string;
  readonly verb: string;
  readonly payload: string;
  /** 1 at the first delivery. */
  readonly deliveries: number;
}

/**
 * `done`: the rows are committed. `later`: a lock or a short outage; waits of more than a few seconds belong into a
 * timer, because a delayed message keeps its slot. `bury`: written as a dead letter by the handler.
 */
export type CommandResult = { verdict: 'done' } | { verdict: 'later'; delayMs: number } | { verdict: 'bury' };

export interface CommandConsumer {
  /** False while commands cannot be fetched, as from a queue that was lost. */
  readonly isFetching: () => boolean;
  /** Takes no more, gives back what it has not begun, finishes what is in hand. */
  stop(): Promise<void>;
}

/** What is given back comes again after this; sooner, the server still hands it to the one that gave it back. */
const GIVEN_BACK_MS = 1_000;

/** An AppError `stream_mismatch` when the set-up step has not run on this NATS, or what it made was lost; else the error. */
function explained(cause: unknown): unknown {
  const isMissing = cause instanceof NatsError && (cause.api_error?.code === 404 || cause.code === '404');
  if (!isMissing) return cause;
  const message = 'the NATS streams of the commands are missing: run the set-up step (npm run setup)';
  return new AppError('stream_mismatch', message, { retryable: true, cause });
}

/** Pause after a request for commands that failed, as in the time between a lost NATS and its set-up. */
const AGAIN_MS = 1_000;

/** One that changes is asked for each time; when there are fewer, what has not begun goes to the other copies. */
export type Concurrency = number | (() => number);

/**
 * Commands of one lane, shared by the copies of its service; up to `concurrency` at once, in no order that could be
 * relied on. As many more wait here at most: whatever was fetched and not begun is kept from the other copies.
 * @param onTrouble told each time that nothing can be fetched; it is tried again.
 * @throws AppError `stream_mismatch` when the queue is missing.
 */
export async function consumeCommands(
  jetstream: JetStreamClient,
  lane: Lane,
  concurrency: Concurrency,
  handle: (command: Command) => Promise<CommandResult>,
  onTrouble: (error: unknown) => void,
): Promise<CommandConsumer> {
  const getting = jetstream.consumers.get(STREAMS.commands, durableOf(lane));
  const consumer = await getting.catch((cause: unknown) => Promise.reject(explained(cause)));
  const hands = (): number => (typeof concurrency === 'number' ? concurrency : concurrency());
  const waiting: JsMsg[] = [];
  const inHand = new Set<Promise<void>>();
  const stopping = new AbortController();
  let messages: ConsumerMessages | undefined;
  let isFetching = true;
  /** All that was fetched is in hand. */
  let isWanting = Promise.withResolvers<void>();

  const settle = async (message: JsMsg): Promise<void> => {
    const alive = setInterval(() => message.working(), ACK_WAIT_MS / 2);
    try {
      const result = await handle({
        subject: message.subject,
        verb: message.subject.split('.')[3] ?? '',
        payload: message.string(),
        deliveries: message.info.deliveryCount,
      });
      if (result.verdict === 'done') message.ack();
      else if (result.verdict === 'later') message.nak(result.delayMs);
      // Without a reason: a server older than 2.11 ignores `term(reason)` and delivers again.
      else message.term();
    } finally {
      clearInterval(alive);
    }
  };

  const fillHands = (): void => {
    while (inHand.size < hands()) {
      const message = waiting.shift();
      if (message === undefined) break;
      const work = settle(message).finally(() => {
        inHand.delete(work);
        fillHands();
      });
      inHand.add(work);
    }
    // Fewer hands would keep them from the other copies for long.
    for (const message of waiting.splice(hands())) message.nak(GIVEN_BACK_MS);
    if (waiting.length === 0) isWanting.resolve();
  };

  /**
   * One bounded request after another: the package's endless one asks for more each second while nobody takes what it
   * has, and one copy would hoard a slow lane.
   */
  const fetch = async (): Promise<void> => {
    messages = await consumer.fetch({ max_messages: hands(), expires: 4_000, idle_heartbeat: 1_000 });
    if (stopping.signal.aborted) void messages.close().catch(() => {});
    for await (const message of messages) {
      // Without this another copy would get it only when its acknowledgement is overdue.
      if (stopping.signal.aborted) message.nak(GIVEN_BACK_MS);
      else waiting.push(message);
      fillHands();
    }
  };

  /** Newer servers leave a request to a queue that is gone without an answer: whether it is, they tell who asks for it. */
  const whyNot = async (cause: unknown): Promise<unknown> => {
    if (!(cause instanceof NatsError) || cause.code !== ErrorCode.NoResponders) return explained(cause);
    return consumer.info().then(() => cause, explained);
  };

  const pump = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await fetch();
        isFetching = true;
      } catch (cause) {
        isFetching = false;
        if (!stopping.signal.aborted) onTrouble(await whyNot(cause));
        await delay(AGAIN_MS, undefined, { signal: stopping.signal }).catch(() => {});
      }
      isWanting = Promise.withResolvers();
      fillHands();
      await isWanting.promise;
    }
  };
  const pumping = pump();

  return {
    isFetching: () => isFetching,
    async stop() {
      stopping.abort();
      for (const message of waiting.splice(0)) message.nak(GIVEN_BACK_MS);
      isWanting.resolve();
      // Not waited for: the package never says that it is closed once nobody reads from it.
      void messages?.close().catch(() => {});
      await pumping;
      await Promise.all(inHand);
    },
  };
}
