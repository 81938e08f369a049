import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { eventually } from '../fixtures/eventually.ts';
import { type Fault, WAYS, WITH_A_BATCH } from './plan.ts';
import { CALL_TIMEOUT_MS, type WholeSystem } from './whole-system.ts';

const SPENDING = ['cj.createOrderV2', 'cj.payBalance', 'aliexpress.createOrder'];
const WRITING = ['shopify.fulfillmentCreate', 'shopify.fulfillmentEventCreate'];
const EVERYTHING_OF = {
  suppliers: ['cj.*', 'aliexpress*'],
  shop: ['shopify.*'],
  'mail server': ['smtp.data'],
};
/** Of the calls that spend, write or mail, in each way. */
const USUAL_SHARE = 0.03;
const DURING_AN_OUTAGE = 0.6;
/** A process that waits for the moment of its death is killed after this. */
const MOMENT_MS = 15_000;
/** A process that waits for a batch stands still anywhere after this. */
const BATCH_MS = 5_000;
/** No command waits so long for its next try, so that whoever loses NATS need not ask for all that ever was. */
const OLDEST_IN_NATS_MS = 120_000;
const RESUME_MS = 180_000;

const ruleOf = (operation: string, kind: string, share: number, seed: number): object => ({
  operation,
  kind,
  share,
  seed,
  ...(kind === 'slow' ? { delayMs: CALL_TIMEOUT_MS + 500 } : {}),
});

/** A clear no to what was made all the same: a push of it is all that gives it away. */
const lying = (seed: number): object => ({
  operation: 'aliexpress.createOrder',
  kind: 'refusal_after',
  code: 'INVENTORY_HOLD_ERROR',
  share: USUAL_SHARE,
  seed,
});

/** What shop, suppliers and mail server answer wrongly all the time. */
const usualRules = (seed: number): object[] => [
  lying(seed),
  ...[...SPENDING, ...WRITING, 'smtp.data'].flatMap((operation, o) =>
    WAYS.map((way, w) => ruleOf(operation, way, USUAL_SHARE, seed + 100 * o + w)),
  ),
];

const Rules = z.array(z.object({ fired: z.int() }));
const badAnswers = new WeakMap<WholeSystem, number>();

/** Answers of the outside world that were wrong on purpose, by all rules until they were last replaced. */
export const badAnswersOf = (system: WholeSystem): number => badAnswers.get(system) ?? 0;

/** Each rule counts for itself, and takes its count with it. */
async function replaceRules(system: WholeSystem, rules: readonly object[]): Promise<void> {
  const ending = Rules.parse(await system.control('GET', '/faults'));
  badAnswers.set(
    system,
    ending.reduce((sum, { fired }) => sum + fired, badAnswersOf(system)),
  );
  await system.control('PUT', '/faults', rules);
}

export const answerBadly = (system: WholeSystem, seed: number): Promise<void> =>
  replaceRules(system, usualRules(seed));
export const answerWell = (system: WholeSystem): Promise<void> => replaceRules(system, []);

/**
 * NATS has lost everything: the way back is the README's. Every partition that had counted in the lost stream stops, and
 * goes on once it is told to; one that notices later needs it told again.
 */
async function recoverFromLoss(system: WholeSystem): Promise<void> {
  await system.nats.startAgain();
  await eventually(() => system.runScript('deploy/setup.ts'), 60_000);
  const startedAt = performance.now();
  const [span] = await system.rows<{ since: string; isShort: boolean }>(
    `select to_char(now() at time zone 'utc' - $1::float8 * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since,
            min(published_at) > now() - $1::float8 * interval '1 millisecond' as "isShort" from outbox`,
    [OLDEST_IN_NATS_MS],
  );
  const since = span === undefined || span.isShort ? [] : ['--since', span.since];
  for (;;) {
    const output = await system.runScript('deploy/republish.ts', ...since);
    const counted = await system.rows<{ streams: number }>(
      'select count(distinct stream_created)::int as streams from event_partitions',
    );
    if (output.includes('no partition is halted') && counted[0]?.streams === 1) return;
    if (performance.now() - startedAt > RESUME_MS) throw new Error(`partitions do not resume: ${output}`);
    await delay(500);
  }
}

/**
 * Does it, and puts right what would not come right by itself: whoever killed a server starts it again.
 * @param needsWork called when it is prepared: now there should be new orders under way.
 */
export async function inject(
  system: WholeSystem,
  fault: Fault,
  seed: number,
  needsWork: () => void,
): Promise<string> {
  if (fault.kind !== 'die at a moment') needsWork();
  switch (fault.kind) {
    case 'die at a moment': {
      const copies = system.copiesOf(fault.service);
      const doomed =
        fault.copy === 'all'
          ? copies
          : copies.filter((_, index) => index === Number(fault.copy) % copies.length);
      const deaths = doomed.map(async (copy) => {
        if (!(await copy.dieAt(fault.moment, MOMENT_MS, needsWork))) throw new Error('it did not come there');
      });
      // The first one is enough; the others may come there later.
      return Promise.any(deaths).then(
        () => 'died there',
        () => 'killed anywhere',
      );
    }
    case 'kill':
      system.copiesOf(fault.service)[fault.copy % system.copiesOf(fault.service).length]?.kill();
      return '';
    case 'kill all copies':
      for (const copy of system.copiesOf(fault.service)) copy.kill();
      return '';
    case 'kill NATS': {
      const name = await system.nats.killOne();
      await delay(fault.downMs);
      await system.nats.startAgain();
      return name;
    }
    case 'lose the store of NATS':
      await system.nats.loseStores();
      await recoverFromLoss(system);
      return '';
    case 'crash PostgreSQL':
      await system.crashDatabase();
      await delay(fault.downMs);
      await system.startDatabase();
      return '';
    case 'end every database connection': {
      let ended = 0;
      for (let time = 0; time < fault.times; time += 1) {
        const gone = await system.rows(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()`,
        );
        ended += gone.length;
        await delay(100);
      }
      return `${ended} connections`;
    }
    case 'outage': {
      const rules = EVERYTHING_OF[fault.of].map((operation, index) =>
        ruleOf(operation, fault.way, DURING_AN_OUTAGE, seed + index),
      );
      await replaceRules(system, [...rules, ...usualRules(seed)]);
      await delay(fault.ms);
      await answerBadly(system, seed);
      return '';
    }
    case 'freeze NATS':
      system.nats.freeze();
      await delay(fault.ms);
      system.nats.thaw();
      return '';
    case 'freeze the outside world':
      system.signalSandbox('SIGSTOP');
      await delay(fault.ms);
      system.signalSandbox('SIGCONT');
      return '';
    case 'stop the whole machine':
      system.signalAll('SIGSTOP');
      await delay(fault.ms);
      system.signalAll('SIGCONT');
      return '';
    case 'half-open sockets':
      return `${system.wires.reduce((sum, wire) => sum + wire.goSilent(), 0)} connections`;
    case 'zombie': {
      const [copy] = system.copiesOf(fault.service);
      await copy?.ready();
      let where = 'anywhere';
      if (fault.service !== 'orders') copy?.freeze();
      else if (await copy?.freezeAt(WITH_A_BATCH, BATCH_MS)) where = 'with a batch in hand';
      await delay(fault.ms);
      copy?.thaw();
      return `${copy?.name ?? ''} ${where}`;
    }
    case 'all timers due': {
      // The services lock timers in an order of their own: who of the two gives way is chance.
      const due = await eventually(() =>
        system.rows(
          `update timers set due_at = now() where deadline not in ('payment', 'cancelling') returning key`,
        ),
      );
      return `${due.length} timers`;
    }
  }
}
