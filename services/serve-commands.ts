import type { z } from 'zod';
import { Envelope } from '../contracts/envelope.ts';
import { isRetryable } from '../contracts/errors.ts';
import type { ServiceName } from '../contracts/subjects.ts';
import type { Command, CommandConsumer, CommandResult } from './bus/command-consumer.ts';
import { describeError } from './logger.ts';
import { moment } from './moments.ts';
import type { ServiceContext } from './run-service.ts';
import { layDown } from './store/dead-letters.ts';
import { isOutage } from './store/outage.ts';

export const DONE: CommandResult = { verdict: 'done' };
/** For a lock or a short outage; longer waits are timers of the machines. */
export const later = (delayMs: number): CommandResult => ({ verdict: 'later', delayMs });

/** @param commandId of the message: what a handler says is derived from it. */
export type CommandHandler = (payload: unknown, commandId: string) => Promise<CommandResult>;

/** Binds a verb's contract to its handler. */
export const handling =
  <T>(schema: z.ZodType<T>, handle: (data: T, commandId: string) => Promise<CommandResult>): CommandHandler =>
  (payload, commandId) =>
    handle(schema.parse(payload), commandId);

/** Tries of a command that fails for a reason nobody foresaw; the machine's own deadline asks again after that. */
const MAX_TRIES = 5;
const RETRY_MS = 2_000;
/** Below the consumer's own limit: then the command is let go, for the same deadline asks again. */
const MAX_DELIVERIES = 15;

/** Works off the commands of one service, with one verdict for every way of failing. */
export function serveCommands(
  { bus, store, log }: ServiceContext,
  service: ServiceName,
  concurrency: number,
  handlers: Readonly<Record<string, CommandHandler>>,
): Promise<CommandConsumer> {
  /** By subject. Not the deliveries: those count the waits for better times as well, which use nothing up. */
  const failures = new Map<string, number>();

  const bury = async (command: Command, error: unknown): Promise<CommandResult> => {
    const failure = JSON.stringify(describeError(error));
    await layDown(store, [
      {
        // A command that cannot be carried out must not stop the order's events.
        order_id: null,
        message_id: command.subject,
        subject: command.subject,
        seq: 0,
        // PostgreSQL keeps no zero bytes: a letter with one could never be put down, and would come again instead.
        payload: command.payload.replaceAll('\u0000', '\ufffd'),
        state: 'open',
        failure,
      },
    ]);
    failures.delete(command.subject);
    log.error({ subject: command.subject, err: error }, 'dead letter');
    return { verdict: 'bury' };
  };

  const handle = async (command: Command): Promise<CommandResult> => {
    try {
      const handler = handlers[command.verb];
      if (handler === undefined) throw new TypeError(`no such command: ${command.verb}`);
      const message = Envelope.parse(JSON.parse(command.payload));
      const result = await handler(message.data, message.id);
      if (result.verdict === 'done') failures.delete(command.subject);
      return result;
    } catch (error) {
      if (isOutage(error) || isRetryable(error)) {
        log.warn({ subject: command.subject, err: error }, 'a command waits for better times');
        return later(RETRY_MS);
      }
      const tries = (failures.get(command.subject) ?? 0) + 1;
      failures.set(command.subject, tries);
      if (tries < MAX_TRIES && command.deliveries < MAX_DELIVERIES) return later(RETRY_MS);
      return bury(command, error).catch(() => later(RETRY_MS));
    }
  };

  /** Subjects: verb and what it is about. */
  const inHand = new Set<string>();
  return bus.consume(service, concurrency, async (command) => {
    // Asked again while the first is at work, as every deadline does in a crowd: one of them is enough.
    if (inHand.has(command.subject)) return DONE;
    inHand.add(command.subject);
    moment('command: before handling');
    const result = await handle(command).finally(() => inHand.delete(command.subject));
    moment('command: after handling before acknowledgement');
    // Left alone, it would lie in the stream for ever once the server has delivered it often enough.
    return result.verdict === 'later' && command.deliveries >= MAX_DELIVERIES ? DONE : result;
  });
}
