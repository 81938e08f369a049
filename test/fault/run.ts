import { cpSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { seeded } from '../fixtures/seeded.ts';
import { type Evidence, leftoversOf, readEvidence, readOrders, watchPositions } from './evidence.ts';
import { answerBadly, answerWell, badAnswersOf, inject } from './inject.ts';
import { forCluster, planFaults, wordsOf } from './plan.ts';
import { aStory, changeIn, type Story } from './shop-life.ts';
import { isComplete, isHeld, type Verdict, verdictsOf } from './verdicts.ts';
import { startWholeSystem, type WholeSystem } from './whole-system.ts';

export interface RunOptions {
  readonly orders: number;
  readonly faults: number;
  readonly seed: number;
  /** Processes of each service. */
  readonly copies: number;
  readonly natsServers: number;
  /** How long the system has to come to rest once nobody disturbs it any more. */
  readonly settleMs: number;
  readonly sweepSeconds: number;
  /** How often a wait is ended by asking again. */
  readonly retrySeconds: number;
  readonly beside?: string | undefined;
  /** Where the logs are copied to at the end. */
  readonly logsTo?: string | undefined;
  /** Told of every step. */
  readonly say: (line: string) => void;
}

export interface Done {
  readonly fault: string;
  readonly result: string;
  readonly seconds: number;
}

export interface Run {
  readonly options: RunOptions;
  readonly done: readonly Done[];
  readonly evidence: Evidence;
  readonly verdicts: readonly Verdict[];
  readonly badAnswers: number;
  readonly feedingSeconds: number;
  readonly seconds: number;
}

/** Orders under way at once: above it the shop waits. Half of them wait for the end of a doubt or of an open breaker. */
const MOST_UNDER_WAY = 1_000;
const PAUSE_BETWEEN_FAULTS_MS = 300;
/** Orders for each fault: with fewer, one copy of two might find nothing to do. */
const LITTLE_WORK = 10;

const countIn = async (system: WholeSystem): Promise<number> => {
  const [row] = await system.rows<{ ended: number }>(
    `select count(*)::int as ended from orders o
      where state in ('delivered', 'cancelled', 'refunded')
         or exists (select 1 from holds h where h.order_id = o.id and h.released_at is null)`,
  );
  return row?.ended ?? 0;
};

/** The shop's part: places the orders in step with the faults, so that each finds work under way, and changes some. */
async function liveShop(
  system: WholeSystem,
  stories: readonly Story[],
  mayPlace: () => number,
  signal: AbortSignal,
): Promise<void> {
  const changes: Promise<void>[] = [];
  const until = async <T>(work: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (signal.aborted) throw error;
        await delay(200);
      }
    }
  };
  let ended = 0;
  for (const [index, story] of stories.entries()) {
    while (index >= mayPlace() || index - ended >= MOST_UNDER_WAY) {
      signal.throwIfAborted();
      await delay(100);
      ended = await countIn(system).catch(() => ended);
    }
    const placed = { ...story.body, updated_at: new Date().toISOString() };
    await until(() => system.control('POST', '/shop/orders', placed));
    const { change } = story;
    if (change !== null)
      changes.push(
        delay(change.afterMs).then(async () => {
          await until(() =>
            system.control('PUT', `/shop/orders/${story.shopOrderId}`, changeIn(story, change)),
          );
        }),
      );
  }
  await Promise.all(changes);
}

/** What keeps the system from being at rest, in words; empty when nothing moves any more. */
async function unrest(system: WholeSystem, orders: number): Promise<string[]> {
  const found = await readOrders(system);
  const open = found.filter((order) => !isComplete(order) && !isHeld(order));
  const [moving] = await system.rows<{ purchases: number; parcels: number }>(
    `select (select count(*)::int from supplier_orders s
              where state in ('placing', 'processing', 'accepted', 'shipped', 'partially_shipped')) as purchases,
            (select count(*)::int from parcels p where fulfillment_state is distinct from 'withheld'
                and (fulfillment_state is distinct from 'done' or shown_state is distinct from state)) as parcels`,
  );
  return [
    ...(found.length < orders ? [`${orders - found.length} orders have not come`] : []),
    ...(open.length > 0
      ? [`${open.length} orders open (${[...new Set(open.map(({ state }) => state))].join(', ')})`]
      : []),
    ...((moving?.purchases ?? 0) > 0 ? [`${moving?.purchases} purchases on their way`] : []),
    ...((moving?.parcels ?? 0) > 0 ? [`${moving?.parcels} parcels not shown`] : []),
    ...(await leftoversOf(system)),
  ];
}

/** What a clock that jumped held as overdue is let go, as an operator would. */
const releaseOverdue = async (system: WholeSystem): Promise<void> => {
  await fetch(`${system.url}/holds/release`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': system.apiKey },
    body: JSON.stringify({ reason: 'overdue' }),
  }).then(
    (response) => response.arrayBuffer(),
    () => undefined,
  );
};

async function settle(system: WholeSystem, options: RunOptions): Promise<void> {
  const deadline = performance.now() + options.settleMs;
  let quiet = 0;
  for (;;) {
    await releaseOverdue(system);
    const left = await unrest(system, options.orders).catch((error: Error) => [error.message]);
    quiet = left.length === 0 ? quiet + 1 : 0;
    // For as long as a young row of the outbox is passed over; between two steps of an order nothing may show either.
    if (quiet === 3) return;
    if (performance.now() > deadline) return options.say(`not at rest: ${left.join('; ')}`);
    options.say(left.length === 0 ? 'at rest' : `waiting: ${left.join('; ')}`);
    await delay(1_000);
  }
}

/** One whole run: the same options with the same seed sell the same orders and do the same harm in the same order. */
export async function runFaults(options: RunOptions): Promise<Run> {
  const startedAt = performance.now();
  const random = seeded(options.seed);
  const stories = Array.from({ length: options.orders }, (_, index) => aStory(index + 1, random));
  const hasLittleWork = options.orders < LITTLE_WORK * options.faults;
  const planned = planFaults(options.faults, options.seed, hasLittleWork);
  const plan = options.natsServers === 1 ? planned : planned.map(forCluster);
  options.say('starting PostgreSQL, NATS, the sandbox world and every service');
  const system = await startWholeSystem(options);
  const ending = new AbortController();
  try {
    await watchPositions(system);
    await system.control('PUT', '/settings', {
      // The harsher of CJ's two readings: a repeated number makes a second order.
      dupMode: 'B',
      webhookCopies: 2,
      webhookDropShare: 0.1,
      webhookMaxDelayMs: 400,
      aliexpress: { repeatedOrder: 'refused' },
    });
    await system.control('PUT', '/aliexpress/push', { url: `${system.url}/webhooks/aliexpress` });
    await answerBadly(system, options.seed);
    const fedFrom = performance.now();
    let begun = 0;
    const placing = liveShop(
      system,
      stories,
      () => (begun / (plan.length + 1)) * options.orders,
      ending.signal,
    );
    placing.catch(() => {});
    const done: Done[] = [];
    for (const [index, fault] of plan.entries()) {
      const faultFrom = performance.now();
      const result = await inject(system, fault, options.seed + index, () => {
        begun = index + 1;
      });
      const seconds = (performance.now() - faultFrom) / 1_000;
      done.push({ fault: wordsOf(fault), result, seconds });
      begun = index + 1;
      options.say(
        `${begun}/${plan.length} ${wordsOf(fault)}${result === '' ? '' : `: ${result}`} (${seconds.toFixed(1)} s)`,
      );
      await delay(PAUSE_BETWEEN_FAULTS_MS);
    }
    begun = plan.length + 1;
    await placing;
    const feedingSeconds = (performance.now() - fedFrom) / 1_000;
    for (const copy of system.copies) copy.spare();
    await answerWell(system);
    await settle(system, options);
    const evidence = await readEvidence(system, stories);
    return {
      options,
      done,
      evidence,
      verdicts: verdictsOf(evidence),
      badAnswers: badAnswersOf(system),
      feedingSeconds,
      seconds: (performance.now() - startedAt) / 1_000,
    };
  } finally {
    ending.abort();
    await system.stopCopies();
    if (options.logsTo !== undefined) cpSync(system.logDir, options.logsTo, { recursive: true });
    await system.stop();
  }
}
