import {
  AckPolicy,
  type ConsumerUpdateConfig,
  DiscardPolicy,
  type JetStreamManager,
  type MsgRequest,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StoredMsg,
  type StreamConfig,
  type StreamInfo,
} from 'nats';
import { DAY_MS, MINUTE_MS } from '../../contracts/durations.ts';
import { AppError } from '../../contracts/errors.ts';
import { commandFilter, LANES, type Lane, STREAMS } from '../../contracts/subjects.ts';

const GIGABYTE = 1_000_000_000;
/** Of the room that the streams may take together. */
const SHARE = { events: 0.6, commands: 0.2, crew: 0.18, advisories: 0.02 };

type Wanted = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects'>;

/** `discard: new` refuses what does not fit into the stream; the default would drop the oldest in silence. */
const wantedStreams = (bytes: number): readonly Wanted[] => [
  {
    name: STREAMS.events,
    subjects: ['oms.evt.>'],
    retention: RetentionPolicy.Limits,
    max_age: nanos(60 * DAY_MS),
    max_bytes: bytes * SHARE.events,
    discard: DiscardPolicy.New,
    duplicate_window: nanos(2 * MINUTE_MS),
    deny_delete: true,
  },
  {
    name: STREAMS.commands,
    subjects: ['oms.cmd.>'],
    retention: RetentionPolicy.Workqueue,
    max_bytes: bytes * SHARE.commands,
    discard: DiscardPolicy.New,
    // The newest says all that the older one said: what deadlines ask again would be most of a long queue. The newest and
    // not the oldest, so that one that a server forgot to deliver stands in nobody's way.
    max_msgs_per_subject: 1,
    duplicate_window: nanos(10 * MINUTE_MS),
  },
  {
    name: STREAMS.crew,
    subjects: ['oms.pub.>'],
    retention: RetentionPolicy.Limits,
    max_age: nanos(7 * DAY_MS),
    max_bytes: bytes * SHARE.crew,
    discard: DiscardPolicy.Old,
    duplicate_window: nanos(2 * MINUTE_MS),
  },
  {
    name: STREAMS.advisories,
    subjects: [
      '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>',
      '$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>',
    ],
    retention: RetentionPolicy.Limits,
    max_age: nanos(30 * DAY_MS),
    max_bytes: bytes * SHARE.advisories,
    discard: DiscardPolicy.Old,
  },
];

export const durableOf = (lane: Lane): string => `oms-${lane}`;

/** Reads what the server says about commands that it has given up. */
export const UNDELIVERED = 'oms-undelivered';

/** A handler that takes longer says so with `working()`; a command of a dead process comes again after it. */
export const ACK_WAIT_MS = 30_000;
/** Above our own limit of tries: a last stop, not a policy. */
const MAX_DELIVER = 20;

const noAnswer = (cause: unknown): AppError =>
  new AppError('bus_unavailable', 'JetStream does not answer', { retryable: true, cause });

export const isNotFound = (error: unknown): boolean =>
  error instanceof NatsError && error.api_error?.code === 404;

const isFull = (error: unknown): boolean =>
  error instanceof NatsError && error.api_error?.err_code === 10_047;

async function setUpConsumer(
  manager: JetStreamManager,
  stream: string,
  durable: string,
  config: Partial<ConsumerUpdateConfig>,
): Promise<void> {
  try {
    await manager.consumers.info(stream, durable);
    await manager.consumers.update(stream, durable, config);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await manager.consumers.add(stream, {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      ...config,
    });
  }
}

/**
 * When a stream was made, as its first set-up wrote it into the description. The server's own word for it changes: 2.9
 * takes its restart for the making as soon as a stream is updated.
 */
const madeAt = ({ config, created }: StreamInfo): string => config.description || String(created);

/**
 * Makes or updates the four streams, the durable of each lane and that of the advisories. The set-up step's work, never a service's.
 * @param gigabytes that the streams may take together; JetStream must have that much room.
 * @throws AppError `stream_mismatch` when it has not.
 */
export async function setUpStreams(
  manager: JetStreamManager,
  replicas: number,
  gigabytes: number,
): Promise<void> {
  for (const wanted of wantedStreams(gigabytes * GIGABYTE)) {
    const config = { storage: StorageType.File, num_replicas: replicas, ...wanted };
    const info = await manager.streams.info(wanted.name).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      return manager.streams.add(config).catch((cause: unknown) => {
        if (!isFull(cause)) throw cause;
        const message = `JetStream has no room for ${gigabytes} GB of streams: set NATS_STORE_GIGABYTES lower, or its max_file_store higher`;
        throw new AppError('stream_mismatch', message, { retryable: false, cause });
      });
    });
    await manager.streams.update(wanted.name, { ...config, description: madeAt(info) });
  }
  for (const lane of LANES) {
    await setUpConsumer(manager, STREAMS.commands, durableOf(lane), {
      filter_subject: commandFilter(lane),
      ack_wait: nanos(ACK_WAIT_MS),
      max_deliver: MAX_DELIVER,
      // A dead process leaves what it had fetched unacknowledged for a while; many deaths must not stop the others.
      max_ack_pending: 4_096,
    });
  }
  await setUpConsumer(manager, STREAMS.advisories, UNDELIVERED, {
    filter_subject: `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${STREAMS.commands}.>`,
    ack_wait: nanos(ACK_WAIT_MS),
  });
}

export interface StreamState {
  /** Tells a stream that was lost and made anew from the one we counted in. */
  readonly created: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly messages: number;
}

/** @throws AppError `stream_mismatch` when the set-up step has not run here, `bus_unavailable` when nobody answers. */
export async function readStreamState(manager: JetStreamManager, stream: string): Promise<StreamState> {
  try {
    const info = await manager.streams.info(stream);
    const { state } = info;
    return {
      created: madeAt(info),
      firstSeq: state.first_seq,
      lastSeq: state.last_seq,
      messages: state.messages,
    };
  } catch (cause) {
    if (!isNotFound(cause)) throw noAnswer(cause);
    const message = `the NATS stream ${stream} is missing: run the set-up step (npm run setup)`;
    throw new AppError('stream_mismatch', message, { retryable: true, cause });
  }
}

/** Null when the stream holds none there. @throws AppError `bus_unavailable` when nobody answers. */
async function storedMessage(
  manager: JetStreamManager,
  stream: string,
  place: MsgRequest,
): Promise<StoredMsg | null> {
  try {
    return await manager.streams.getMessage(stream, place);
  } catch (cause) {
    if (isNotFound(cause)) return null;
    throw noAnswer(cause);
  }
}

/** When the stream took that message, in milliseconds since the epoch; null when it holds none there. */
export const storedMsOf = async (
  manager: JetStreamManager,
  stream: string,
  seq: number,
): Promise<number | null> => (await storedMessage(manager, stream, { seq }))?.time.getTime() ?? null;

/** Sequence of the last message on that subject; 0 when there is none. */
export const lastSeqOn = async (
  manager: JetStreamManager,
  stream: string,
  subject: string,
): Promise<number> => (await storedMessage(manager, stream, { last_by_subj: subject }))?.seq ?? 0;
