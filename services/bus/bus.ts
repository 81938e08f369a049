import type { z } from 'zod';
import type { Answer, RequestContract } from '../../contracts/requests/request.ts';
import { STORE_GIGABYTES } from '../../contracts/settings.ts';
import type { Lane, ServiceName } from '../../contracts/subjects.ts';
import { type AgentEndpoint, type AgentService, serveAgents, type Unserved } from './agent-service.ts';
import { connections, reconnections } from './bus-figures.ts';
import {
  type Command,
  type CommandConsumer,
  type CommandResult,
  type Concurrency,
  consumeCommands,
} from './command-consumer.ts';
import { connectNats } from './connection.ts';
import { openPartitionReader, type PartitionReader } from './partition-reader.ts';
import { createPublisher, type OutgoingMessage } from './publisher.ts';
import { type RequestHandler, type RequestServer, sendRequest, serveRequests } from './requests.ts';
import { firstSeqSince, readStoredIds } from './stored-ids.ts';
import { lastSeqOn, readStreamState, type StreamState, setUpStreams, storedMsOf } from './streams.ts';
import { takeUndelivered, type UndeliveredCommand } from './undelivered.ts';

/** NATS as the services see it. Everything that knows the package `nats` is behind this. */
export interface Bus {
  readonly isConnected: () => boolean;
  /** False while one of the lanes that are consumed here gives no commands. */
  readonly isFetching: () => boolean;
  /** Grows with each new connection: the streams behind it may have changed. */
  readonly reconnects: () => number;
  publish(batch: readonly OutgoingMessage[]): Promise<void>;
  streamState(stream: string): Promise<StreamState>;
  lastSeqOn(stream: string, subject: string): Promise<number>;
  /** When the stream took that message, in milliseconds since the epoch; null when it holds none there. */
  storedMsOf(stream: string, seq: number): Promise<number | null>;
  /** Message ids of what the stream stored between two times, both included. Wants the set-up step's rights. */
  storedIds(stream: string, from: Date, to: Date): Promise<ReadonlySet<string>>;
  /** Sequence of the first message stored at that time or later; one behind the last when there is none. */
  firstSeqSince(stream: string, from: Date): Promise<number>;
  readPartition(partition: number, fromSeq: number): Promise<PartitionReader>;
  consume(
    lane: Lane,
    concurrency: Concurrency,
    handle: (command: Command) => Promise<CommandResult>,
    onTrouble?: (error: unknown) => void,
  ): Promise<CommandConsumer>;
  /** Takes the commands that the server has given up out of their queue; see {@link takeUndelivered}. */
  takeUndelivered(keep: (command: UndeliveredCommand) => Promise<void>): Promise<number>;
  /** Answers other agents. See `AgentEndpoint`. */
  serveAgents(
    endpoints: readonly AgentEndpoint[],
    onBug: (error: unknown, subject: string) => void,
    unserved?: Unserved,
  ): Promise<AgentService>;
  /**
   * Asks another service and waits for its answer; a foreseen no is an answer too.
   * @throws AppError `bus_unavailable` when no copy of the service is there, `request_timeout` when none answers in time,
   * and what the other side could not answer for, under the same code.
   */
  request<Request extends z.ZodType, Reply extends z.ZodType>(
    contract: RequestContract<Request, Reply>,
    request: z.input<Request>,
    timeoutMs: number,
  ): Promise<Answer<z.output<Reply>>>;
  /**
   * Answers the requests of one service; its copies share them. Make the handlers with `answering`.
   * @param onBug told of every error that no handler foresaw.
   */
  serveRequests(
    service: ServiceName,
    handlers: readonly RequestHandler[],
    onBug: (error: unknown, verb: string) => void,
  ): RequestServer;
  /**
   * Creates or updates streams and durables.
   * @param replicas 1 on one server, 3 in a cluster. @param gigabytes that the streams may take together.
   */
  setUp(replicas: number, gigabytes?: number): Promise<void>;
  close(): Promise<void>;
}

/** @param name of the service: shown in monitoring and part of its inbox subject. */
export async function openBus(url: string, name: string): Promise<Bus> {
  const connection = await connectNats(url, name);
  let isConnected = true;
  let reconnects = 0;
  const watch = async (): Promise<void> => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') isConnected = false;
      if (type !== 'reconnect') continue;
      isConnected = true;
      reconnects += 1;
      reconnections.count({});
    }
  };
  watch().catch(() => {});
  const jetstream = connection.jetstream();
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const publisher = createPublisher(connection, name);
  const bus: Pick<Bus, 'isConnected'> = { isConnected: () => isConnected && !connection.isClosed() };
  const forget = connections.add(bus);
  const consumers: CommandConsumer[] = [];
  return {
    ...bus,
    isFetching: () => consumers.every((consumer) => consumer.isFetching()),
    reconnects: () => reconnects,
    publish: (batch) => publisher.publish(batch),
    streamState: (stream) => readStreamState(manager, stream),
    lastSeqOn: (stream, subject) => lastSeqOn(manager, stream, subject),
    storedMsOf: (stream, seq) => storedMsOf(manager, stream, seq),
    storedIds: (stream, from, to) => readStoredIds(jetstream, manager, stream, from, to),
    firstSeqSince: (stream, from) => firstSeqSince(manager, stream, from),
    readPartition: (partition, fromSeq) => openPartitionReader(jetstream, manager, partition, fromSeq),
    async consume(lane, concurrency, handle, onTrouble = () => {}) {
      const consumer = await consumeCommands(jetstream, lane, concurrency, handle, onTrouble);
      consumers.push(consumer);
      return consumer;
    },
    takeUndelivered: (keep) => takeUndelivered(jetstream, manager, keep),
    serveAgents: (endpoints, onBug, unserved) => serveAgents(connection, endpoints, onBug, unserved),
    request: (contract, request, timeoutMs) => sendRequest(connection, contract, request, timeoutMs),
    serveRequests: (service, handlers, onBug) => serveRequests(connection, service, handlers, onBug),
    setUp: (replicas, gigabytes = STORE_GIGABYTES) => setUpStreams(manager, replicas, gigabytes),
    async close() {
      forget();
      await publisher.close();
      await connection.drain().catch(() => connection.close());
    },
  };
}
