import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { DeadLetterReason } from '../contracts/dead-letters.ts';
import { Envelope } from '../contracts/envelope.ts';
import { AppError, isRetryable } from '../contracts/errors.ts';
import { orderIdIn } from '../contracts/ids.ts';
import { isOfLane, LANES, type Lane } from '../contracts/subjects.ts';
import { readTraceparent } from '../contracts/trace-context.ts';
import type { Command, CommandConsumer, CommandResult, Concurrency } from './bus/command-consumer.ts';
import { histogram, SECONDS } from './figures.ts';
import { describeError } from './logger.ts';
import { moment } from './moments.ts';
import type { ServiceContext } from './run-service.ts';
import { commandLetter } from './store/command-letter.ts';
import { layDownCommand } from './store/dead-letters.ts';
import { isOutage } from './store/outage.ts';
import { type OutboxRow, queue } from './store/outbox.ts';
import { isAnyHalted } from './store/partitions.ts';
import { inSpan } from './tracing.ts';
import { during, type Work } from './work.ts';

export const DONE: CommandResult = { verdict: 'done' };
/** For a lock or a short outage; longer waits are timers of the machines. */
export const later = (delayMs: number): CommandResult => ({ verdict: 'later', delayMs });

/** Well below what a service that is told to stop may take for what it has in hand. */
const LONGEST_IN_HAND_MS = 2_000;

/**
 * As `later`, for what keeps the whole lane from going on: kept in hand for a while before it is given back. Otherwise
 * all that stand in the lane would come and go as fast as they can be read.
 */
export async function laterInHand(delayMs: number): Promise<CommandResult> {
  const inHandMs = Math.min(delayMs, LONGEST_IN_HAND_MS);
  await delay(inHandMs);
  return later(Math.ceil(delayMs - inHandMs));
}

/** @param commandId of the message: what a handler says is derived from it. */
export type CommandHandler = (payload: unknown, commandId: string) => Promise<CommandResult>;

/** Binds a verb's contract to its handler. */
export const handling =
  <T>(schema: z.ZodType<T>, handle: (data: T, commandId: string) => Promise<CommandResult>): CommandHandler =>
  (payload, commandId) =>
    handle(schema.parse(payload), commandId);

const durations = histogram(
  { name: 'command_duration_seconds', help: 'Commands by what became of them', buckets: SECONDS },
  { lane: LANES, verb: [] as readonly string[], verdict: ['done', 'later', 'bury'] as const },
);

/** Tries of a command that fails for a reason nobody foresaw; the machine's own deadline asks again after that. */
const MAX_TRIES = 5;
const RETRY_MS = 2_000;
const UNHEARD_MS = 30_000;
/** Below the consumer's own limit, at which the server would deliver it no more. */
const MAX_DELIVERIES = 15;

export interface ServeOptions {
  /** Between two tries of a command that failed or waits. */
  readonly retryMs?: number;
  /** Between two tries of a verb that nobody here knows. */
  readonly unheardMs?: number;
  /** Verbs that no deadline asks for again: they wait for as long as it takes. */
  readonly lasting?: readonly string[];
}

const HALTED_LOOK_MS = 1_000;

/** Under an id of its own: the stream would take it for a repeat of what it has. */
const saidAnew = ({ subject, payload }: Command): OutboxRow => ({
  messageId: `${subject}:${randomUUID()}`,
  subject,
  payload,
});

/** Of a verb that nobody knows: in an upgrade, or on the way back, copies that know it are about to come. */
class UnheardError extends Error {
  override name = 'UnheardError';
}

const reasonOf = (error: unknown): DeadLetterReason => {
  if (error instanceof AppError) return 'refused';
  const isUnreadable =
    error instanceof UnheardError || error instanceof SyntaxError || error instanceof z.ZodError;
  return isUnreadable ? 'unreadable' : 'failed';
};

/**
 * Works off the commands of one lane, with one verdict for every way of failing. While a partition is halted they wait:
 * the rows that they are about may be older than what happened.
 */
export async function serveCommands(
  { bus, store, log }: ServiceContext,
  lane: Lane,
  concurrency: Concurrency,
  handlers: Readonly<Record<string, CommandHandler>>,
  { retryMs = RETRY_MS, unheardMs = UNHEARD_MS, lasting = [] }: ServeOptions = {},
): Promise<CommandConsumer> {
  /** By subject. Not the deliveries: those count the waits for better times as well, which use nothing up. */
  const failures = new Map<string, number>();

  const bury = async (command: Command, error: unknown): Promise<CommandResult> => {
    const failure = JSON.stringify(describeError(error));
    await layDownCommand(store, commandLetter(command, reasonOf(error), failure));
    failures.delete(command.subject);
    log.error({ subject: command.subject, err: error }, 'dead letter');
    return { verdict: 'bury' };
  };

  const refuse = (command: Command, error: unknown): CommandResult | Promise<CommandResult> => {
    if (isOutage(error) || isRetryable(error)) {
      log.warn({ subject: command.subject, err: error }, 'a command waits for better times');
      return laterInHand(retryMs);
    }
    if (error instanceof UnheardError && command.deliveries < MAX_DELIVERIES) return later(unheardMs);
    const tries = (failures.get(command.subject) ?? 0) + 1;
    failures.set(command.subject, tries);
    if (tries < MAX_TRIES && command.deliveries < MAX_DELIVERIES) return later(retryMs);
    return bury(command, error).catch(() => later(retryMs));
  };

  /** Left alone, it would lie in the stream for ever once the server has delivered it often enough. */
  const orLetGo = async (command: Command, result: CommandResult): Promise<CommandResult> => {
    if (result.verdict !== 'later' || command.deliveries < MAX_DELIVERIES) return result;
    if (!lasting.includes(command.verb)) return DONE;
    // Said anew it takes its own place, with all deliveries before it.
    const said = bus.publish([saidAnew(command)]);
    return said.then(
      () => DONE,
      () => result,
    );
  };

  /**
   * A server that lost the end of a stream with its leader gives those positions anew, and a consumer that remembers them
   * hands over what lies there now, whoever it is for (seen with NATS 2.9). By way of the outbox: this service may not
   * give orders to others, and its answer takes the command out of the queue of its own lane.
   */
  const sendBack = async (command: Command): Promise<CommandResult> => {
    log.warn({ subject: command.subject }, 'a command of another lane is said anew');
    return queue(store, [saidAnew(command)]).then(
      () => DONE,
      () => laterInHand(retryMs),
    );
  };

  const handle = async (command: Command): Promise<CommandResult> => {
    let work: Work = {};
    try {
      if (waitsForOperator()) return await laterInHand(retryMs);
      const handler = handlers[command.verb];
      if (handler === undefined) throw new UnheardError(`no such command: ${command.verb}`);
      const message = Envelope.parse(JSON.parse(command.payload));
      const { id: messageId, subject, traceparent } = message;
      work = { messageId, orderId: orderIdIn(subject), traceparent: readTraceparent(traceparent) };
      const span = {
        name: `${lane}.${command.verb}`,
        kind: 'consumer',
        attributes: { 'oms.subject': subject },
      } as const;
      const result = await during(work, () => inSpan(span, () => handler(message.data, messageId)));
      if (result.verdict === 'done') failures.delete(command.subject);
      return result;
    } catch (error) {
      return during(work, () => refuse(command, error));
    }
  };

  let isHalted = await isAnyHalted(store);
  let lookedAt = performance.now();
  /** Looked up beside the commands: whatever puts the rows in doubt halts the partitions before a service starts. */
  const waitsForOperator = (): boolean => {
    if (performance.now() - lookedAt > HALTED_LOOK_MS) {
      lookedAt = performance.now();
      isAnyHalted(store)
        .then((answer) => {
          isHalted = answer;
        })
        .catch(() => {});
    }
    return isHalted;
  };

  /** Subjects: verb and what it is about. */
  const inHand = new Set<string>();
  const take = async (command: Command): Promise<CommandResult> => {
    if (!isOfLane(command.subject, lane)) return sendBack(command);
    // Asked again while the first is at work, as every deadline does in a crowd. What the first one read may be older than
    // the wish, and the queue knows only the newest: it looks again once the first is through.
    if (inHand.has(command.subject)) return orLetGo(command, later(retryMs));
    inHand.add(command.subject);
    moment('command: before handling');
    const begun = performance.now();
    const result = await handle(command).finally(() => inHand.delete(command.subject));
    const verb = command.verb in handlers ? command.verb : 'unknown';
    const { verdict } = result;
    const ms = performance.now() - begun;
    durations.observe({ lane, verb, verdict }, ms / 1_000);
    log.debug({ subject: command.subject, verdict, ms: Math.round(ms) }, 'command');
    moment('command: after handling before acknowledgement');
    return orLetGo(command, result);
  };
  return bus.consume(lane, concurrency, take, (err) => log.warn({ lane, err }, 'no command can be fetched'));
}
