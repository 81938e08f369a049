import { HTTPError } from 'h3';
import { AppError } from '../../contracts/errors.ts';
import type { Logger } from '../../services/logger.ts';
import type { Metrics } from '../metrics.ts';
import { describeProblem } from '../problem.ts';

/** Anybody can send what fails verification, as often as they like: the log must not grow with it. */
const QUIET_MS = 60_000;

/** Does the work for a delivery under a topic and lets its outcome through, which is counted. */
export type WatchWebhook = <T extends { readonly result: string }>(
  topic: string,
  work: () => Promise<T>,
) => Promise<T>;

/** The word for metrics: what became of a delivery that was not taken. */
function verdictOf(error: unknown): string {
  if (HTTPError.isError(error)) return describeProblem(error).code;
  return error instanceof AppError ? error.code : 'internal';
}

/**
 * Counts what becomes of webhooks. One that fails verification is told in the log, too, at most once a minute for each
 * topic: the shop sees only that its webhooks fail, and whoever set the secret looks here.
 */
export function createWatch({
  metrics,
  log,
  clock = () => performance.now(),
}: {
  readonly metrics: Pick<Metrics, 'countWebhook'>;
  readonly log: Logger;
  readonly clock?: () => number;
}): WatchWebhook {
  const saidAt = new Map<string, number>();
  const refused = new Map<string, number>();

  const tell = (topic: string, reason: string): void => {
    const count = (refused.get(topic) ?? 0) + 1;
    refused.set(topic, count);
    if (clock() - (saidAt.get(topic) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return;
    saidAt.set(topic, clock());
    refused.delete(topic);
    log.warn({ topic, reason, refused: count }, 'webhook verification failed');
  };

  return async (topic, work) => {
    try {
      const answer = await work();
      metrics.countWebhook(topic, answer.result);
      return answer;
    } catch (error) {
      const verdict = verdictOf(error);
      metrics.countWebhook(topic, verdict);
      // A 503 is told where every failure of ours is.
      if (verdict === 'webhook_unverified' && HTTPError.isError(error) && error.status < 500)
        tell(topic, describeProblem(error).detail);
      throw error;
    }
  };
}
