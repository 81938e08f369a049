import { type ConsumerMessages, type JetStreamClient, type JsMsg, NatsError } from 'nats';
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
  /** Takes no more, gives back what it has not begun, finishes what is in hand. */
  stop(): Promise<void>;
}

/** What is given back comes again after this; sooner, the server still hands it to the one that gave it back. */
const GIVEN_BACK_MS = 1_000;

/** @throws AppError `stream_mismatch` when the set-up step has not run on this NATS, or what it made was lost. */
function refuseMissing(cause: unknown): never {
  if (!(cause instanceof NatsError) || cause.api_error?.code !== 404) throw cause;
  const message = 'the NATS streams of the commands are missing: run the set-up step (npm run setup)';
  throw new AppError('stream_mismatch', message, { retryable: true, cause });
}

/** Commands of one lane, shared by the copies of its service; up to `concurrency` at once, in no order that could be relied on. */
export async function consumeCommands(
  jetstream: JetStreamClient,
  lane: Lane,
  concurrency: number,
  handle: (command: Command) => Promise<CommandResult>,
): Promise<CommandConsumer> {
  const consumer = await jetstream.consumers.get(STREAMS.commands, durableOf(lane)).catch(refuseMissing);
  const messages: ConsumerMessages = await consumer.consume({
    max_messages: concurrency * 2,
    expires: 4_000,
    idle_heartbeat: 1_000,
  });
  const inHand = new Set<Promise<void>>();
  let isStopping = false;
  /** Somebody waits for it while all hands are full. */
  let room = Promise.withResolvers<void>();

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

  const pump = async (): Promise<void> => {
    for await (const message of messages) {
      if (isStopping) {
        // Without this another copy would get it only when its acknowledgement is overdue.
        message.nak(GIVEN_BACK_MS);
        continue;
      }
      const work = settle(message).finally(() => {
        inHand.delete(work);
        room.resolve();
      });
      inHand.add(work);
      while (inHand.size >= concurrency && !isStopping) {
        room = Promise.withResolvers();
        await room.promise;
      }
    }
  };
  const pumping = pump();

  return {
    async stop() {
      isStopping = true;
      room.resolve();
      await messages.close();
      await pumping;
      await Promise.all(inHand);
    },
  };
}
