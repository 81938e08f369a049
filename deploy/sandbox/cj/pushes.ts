import { createHmac, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Journal } from '../journal.ts';
import type { LiveSettings } from '../settings.ts';
import { OPEN_ID } from './account.ts';
import { CJ, CjRefusal } from './envelope.ts';

const TOPICS = ['product', 'stock', 'order', 'logistics', 'makeup', 'privateOrder'] as const;
export type Topic = (typeof TOPICS)[number];

const Channel = z.object({
  type: z.enum(['ENABLE', 'CANCEL']),
  callbackUrls: z.array(z.string()).length(1),
});
/** Body of webhook/set. */
const Channels = z.object({
  product: Channel,
  stock: Channel,
  order: Channel,
  logistics: Channel,
  makeup: Channel.optional(),
  privateOrder: Channel.optional(),
});
type Channels = z.infer<typeof Channels>;

/** One message and what became of it. */
export interface SentPush {
  readonly topic: Topic;
  readonly type: string;
  readonly messageId: string;
  tries: number;
  state: 'waiting' | 'delivered' | 'dropped' | 'given_up';
}

export interface CjPushes {
  /** Takes a whole new configuration, after probing its addresses. Throws CjRefusal 1606001, 1607000, 1607001, 1607003. */
  set(body: unknown): Promise<void>;
  /** As setting/get shows it. */
  config(): object;
  /** Sends to whoever has registered for the topic; nobody: nothing is sent and nothing kept. */
  send(topic: Topic, message: { type: string; messageType: string; params: object }): void;
  /** Oldest first, since this process started. */
  sent(): readonly SentPush[];
  stop(): void;
}

const ANSWER_TIMEOUT_MS = 3_000;
const RETRIES = 3;
/** Messages in a row that nobody took until their topic is closed. */
const FAILURES_TO_CLOSE = 5;
/** A message that waits for the next one does not wait for ever. */
const MOST_WAIT_MS = 3_000;

const isLocal = ({ hostname }: URL): boolean =>
  /^(localhost|127\.|10\.|192\.168\.|\[::1\]$)/.test(hostname) || hostname.endsWith('.localhost');

const urlsOf = (channels: Channels): Set<string> =>
  new Set(TOPICS.flatMap((topic) => channels[topic]?.callbackUrls ?? []));

const post = async (url: string, body: string, headers: Record<string, string>): Promise<boolean> => {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
};

/** Base64 of HMAC-SHA256 over the body, keyed by the account's number as text. */
const signed = (body: string): Record<string, string> => ({
  sign: createHmac('sha256', String(OPEN_ID)).update(body).digest('base64'),
});

/** The supplier's pushes: signed, repeated on failure, in no promised order. */
export function createCjPushes(journal: Journal, settings: LiveSettings): CjPushes {
  const kept = journal.collection('cj_webhooks', Channels);
  const sent: SentPush[] = [];
  const failures = new Map<Topic, number>();
  const timers = new Set<NodeJS.Timeout>();
  let held: (() => Promise<unknown>) | null = null;

  const after = (ms: number, act: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, ms);
    timers.add(timer.unref());
  };

  const channels = (): Partial<Channels> => kept.get('live') ?? {};
  const close = (topic: Topic): void => {
    const live = kept.get('live');
    const channel = live?.[topic];
    if (live !== undefined && channel !== undefined)
      kept.put('live', { ...live, [topic]: { ...channel, type: 'CANCEL' } });
  };
  const count = (push: SentPush, isTaken: boolean): void => {
    push.state = isTaken ? 'delivered' : 'given_up';
    const missed = isTaken ? 0 : (failures.get(push.topic) ?? 0) + 1;
    failures.set(push.topic, missed);
    if (missed === FAILURES_TO_CLOSE) close(push.topic);
  };

  const attempt = async (push: SentPush, url: string, body: string): Promise<void> => {
    push.tries += 1;
    if (await post(url, body, signed(body))) return count(push, true);
    if (push.tries > RETRIES) return count(push, false);
    after(settings.current().cjPushRetryMs, () => void attempt(push, url, body));
  };

  /** Lets the one go that waits for it, once it has arrived itself. */
  const release = (go: () => Promise<unknown>): void => {
    const waiting = held;
    held = null;
    if (waiting !== null) {
      void go().then(waiting);
      return;
    }
    if (!settings.current().cjPushOutOfOrder) {
      void go();
      return;
    }
    held = go;
    after(MOST_WAIT_MS, () => {
      if (held !== go) return;
      held = null;
      void go();
    });
  };

  const checked = (body: unknown): Channels => {
    const parsed = Channels.safeParse(body);
    if (!parsed.success) throw new CjRefusal(CJ.webhookInvalid, z.prettifyError(parsed.error));
    for (const url of urlsOf(parsed.data)) {
      if (!URL.canParse(url)) throw new CjRefusal(CJ.webhookInvalid, 'callbackUrls');
      if (settings.current().cjPushUrls === 'any') continue;
      if (isLocal(new URL(url))) throw new CjRefusal(CJ.webhookLocal, 'localhost is not allowed');
      if (!url.startsWith('https://')) throw new CjRefusal(CJ.webhookInsecure, 'https is required');
    }
    return parsed.data;
  };

  return {
    async set(body) {
      const wanted = checked(body);
      // The real one sends something odd and unsigned, and wants a plain yes.
      for (const url of urlsOf(wanted)) {
        if (!(await post(url, '{}', {})))
          throw new CjRefusal(CJ.webhookSilent, 'the address did not answer 200');
      }
      kept.put('live', wanted);
      failures.clear();
    },
    config() {
      const live = channels();
      return Object.fromEntries(
        TOPICS.map((topic) => [
          topic,
          { type: live[topic]?.type ?? 'CANCEL', urls: live[topic]?.callbackUrls ?? [] },
        ]),
      );
    },
    send(topic, { type, messageType, params }) {
      const channel = channels()[topic];
      const [url] = channel?.callbackUrls ?? [];
      if (channel?.type !== 'ENABLE' || url === undefined) return;
      const { cjPushDelayMs, cjPushDoubled, cjPushDropped } = settings.current();
      const messageId = randomUUID().replaceAll('-', '');
      const push: SentPush = {
        topic,
        type,
        messageId,
        tries: 0,
        state: cjPushDropped ? 'dropped' : 'waiting',
      };
      sent.push(push);
      if (cjPushDropped) return;
      const body = JSON.stringify({ messageId, type, messageType, openId: String(OPEN_ID), params });
      after(cjPushDelayMs, () =>
        release(async () => {
          await attempt(push, url, body);
          if (cjPushDoubled) await post(url, body, signed(body));
        }),
      );
    },
    sent: () => sent,
    stop() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
