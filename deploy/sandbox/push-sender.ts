import { z } from 'zod';
import type { Journal } from './journal.ts';

const MAX_ATTEMPTS = 3;
const LONGEST_TIMER_MS = 2_147_483_647;

const Push = z.object({
  id: z.string(),
  dueAt: z.int(),
  body: z.string(),
  /** How often it is sent even when the first time went well. */
  copies: z.int(),
  attempts: z.int(),
  state: z.enum(['waiting', 'delivered', 'given_up', 'dropped']),
});
export type Push = z.infer<typeof Push>;

export interface PlannedPush {
  readonly id: string;
  /** Milliseconds since the epoch. Of two that are due together, the one planned first goes first. */
  readonly dueAt: number;
  readonly body: string;
  readonly copies: number;
}

export interface PushSender {
  url(): string | null;
  /** Null: nothing is sent any more, and what comes due meanwhile is dropped. */
  setUrl(url: string | null): void;
  /** The same id again changes nothing. */
  plan(push: PlannedPush): void;
  /** Drops it if it still waits. */
  drop(id: string): void;
  /** Sends once, at once, and answers with the HTTP status; null when nobody answered. */
  send(body: string): Promise<number | null>;
  all(): readonly Push[];
  stop(): void;
}

/**
 * Sends a supplier's pushes one after another, each when it is due and up to three times until it is answered with 2xx.
 * What waits survives a restart. `kind` names the entities in the journal.
 */
export function createPushSender(
  journal: Journal,
  options: {
    readonly kind: string;
    readonly headers: (body: string) => Record<string, string>;
    readonly retryMs: () => number;
    /** Whoever takes longer to answer counts as not reached. */
    readonly answerWithinMs: () => number;
  },
): PushSender {
  const kept = journal.collection(options.kind, Push);
  const target = journal.collection(`${options.kind}_url`, z.object({ url: z.string().nullable() }));
  const waiting = new Set(kept.all().filter(({ state }) => state === 'waiting'));
  const url = (): string | null => target.get('only')?.url ?? null;
  let timer: NodeJS.Timeout | undefined;
  let isSending = false;
  let isStopped = false;

  const settle = (push: Push, state: Push['state']): void => {
    push.state = state;
    waiting.delete(push);
    kept.put(push.id, push);
  };

  const post = async (to: string, body: string): Promise<number | null> => {
    const headers = { 'content-type': 'application/json', ...options.headers(body) };
    const signal = AbortSignal.timeout(options.answerWithinMs());
    try {
      const answer = await fetch(to, { method: 'POST', headers, body, signal });
      await answer.body?.cancel();
      return answer.status;
    } catch {
      return null;
    }
  };

  const attempt = async (push: Push): Promise<void> => {
    const to = url();
    if (to === null) return settle(push, 'dropped');
    let isDelivered = true;
    for (let copy = 0; copy < push.copies; copy += 1) {
      const status = await post(to, push.body);
      isDelivered = status !== null && status >= 200 && status < 300;
    }
    // A world that stopped in between sends it again when it starts again.
    if (isStopped || !waiting.has(push)) return;
    push.attempts += 1;
    if (isDelivered) return settle(push, 'delivered');
    if (push.attempts === MAX_ATTEMPTS) return settle(push, 'given_up');
    push.dueAt = Date.now() + options.retryMs();
    kept.put(push.id, push);
  };

  const arm = (): void => {
    clearTimeout(timer);
    if (isSending || isStopped || waiting.size === 0) return;
    const next = [...waiting].reduce((first, push) => (push.dueAt < first.dueAt ? push : first));
    const waitMs = Math.min(Math.max(next.dueAt - Date.now(), 0), LONGEST_TIMER_MS);
    timer = setTimeout(() => {
      if (next.dueAt > Date.now()) return arm();
      isSending = true;
      attempt(next).finally(() => {
        isSending = false;
        arm();
      });
    }, waitMs);
    timer.unref();
  };
  arm();

  return {
    url,
    setUrl(next) {
      target.put('only', { url: next });
    },
    plan(planned) {
      if (kept.get(planned.id) !== undefined) return;
      const push: Push = { ...planned, attempts: 0, state: 'waiting' };
      kept.put(push.id, push);
      waiting.add(push);
      arm();
    },
    drop(id) {
      const push = [...waiting].find((candidate) => candidate.id === id);
      if (push !== undefined) settle(push, 'dropped');
    },
    send: async (body) => {
      const to = url();
      return to === null ? null : post(to, body);
    },
    all: () => kept.all(),
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
