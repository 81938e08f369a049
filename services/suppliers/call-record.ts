import { randomUUID } from 'node:crypto';
import type { SupplierName } from '../../contracts/vocabulary.ts';
import { type CallOutcome, outsideCall, watchBreaker } from '../outside-call.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import { pausePurchasing } from '../purchasing-switch.ts';
import type { ServiceContext } from '../run-service.ts';
import { insertRows } from '../store/rows.ts';
import type { PatientAdapter } from './policy.ts';
import { SupplierError } from './supplier-error.ts';

interface Tally {
  readonly supplier: SupplierName;
  readonly operation: string;
  readonly outcome: CallOutcome;
  calls: number;
  seconds: number;
}

interface LastWord {
  successAt: string | null;
  failureAt: string | null;
  failureClass: string | null;
}

export interface CallRecord {
  /** The adapter, with each of its calls counted; a refusal that blocks the account stops buying there. */
  recorded(adapter: PatientAdapter): PatientAdapter;
  /** Writes what was counted, and each breaker's state. */
  flush(): Promise<void>;
}

const outcomeOf = (error: unknown): CallOutcome => {
  if (!(error instanceof SupplierError)) return 'unforeseen';
  return error.evidence.sent === false ? 'not_sent' : error.failureClass;
};

/**
 * Counts calls by supplier, operation and outcome, and reports through the database: copies come and go, and one scrape
 * of the gateway then tells of all of them.
 */
export function createCallRecord({ store, log }: Pick<ServiceContext, 'store' | 'log'>): CallRecord {
  const copy = randomUUID();
  const adapters: PatientAdapter[] = [];
  let tallies = new Map<string, Tally>();
  const lastWords = new Map<SupplierName, LastWord>();

  const count = (supplier: SupplierName, operation: string, outcome: CallOutcome, seconds: number): void => {
    const key = `${supplier}/${operation}/${outcome}`;
    const tally = tallies.get(key) ?? { supplier, operation, outcome, calls: 0, seconds: 0 };
    tally.calls += 1;
    tally.seconds += seconds;
    tallies.set(key, tally);
    if (outcome === 'not_sent') return;
    const word = lastWords.get(supplier) ?? { successAt: null, failureAt: null, failureClass: null };
    const at = new Date().toISOString();
    if (outcome === 'ok') word.successAt = at;
    else Object.assign(word, { failureAt: at, failureClass: outcome });
    lastWords.set(supplier, word);
  };

  const stopBuying = async (supplier: SupplierName, error: SupplierError): Promise<void> => {
    log.error({ supplier, evidence: error.evidence }, 'the supplier blocks our account: buying there stops');
    const pause = { scope: supplier, cause: 'account_blocked' as const, reason: error.message };
    await pausePurchasing(store, pause).catch((cause: unknown) =>
      log.error({ supplier, err: cause }, 'the pause could not be written; the next refusal tries again'),
    );
  };

  const flush = async (): Promise<void> => {
    const [counted, words] = [tallies, [...lastWords]];
    tallies = new Map();
    lastWords.clear();
    try {
      await store.transaction(async (sql) => {
        await insertRows(
          sql,
          'supplier_calls',
          { supplier: 'text', operation: 'text', outcome: 'text', calls: 'bigint', seconds: 'float8' },
          [...counted].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, tally]) => tally),
          `on conflict (supplier, operation, outcome) do update set calls = supplier_calls.calls + excluded.calls,
             seconds = supplier_calls.seconds + excluded.seconds`,
        );
        for (const [supplier, { successAt, failureAt, failureClass }] of words) {
          await sql.run(
            `update supplier_accounts set last_success_at = greatest(last_success_at, $2::timestamptz),
                    last_failure_at = greatest(last_failure_at, $3::timestamptz),
                    last_failure_class = coalesce($4, last_failure_class) where supplier = $1`,
            [supplier, successAt, failureAt, failureClass],
          );
        }
        await insertRows(
          sql,
          'supplier_breakers',
          { copy: 'text', supplier: 'text', state: 'text' },
          adapters.map((adapter) => ({ copy, supplier: adapter.name, state: adapter.breakerState() })),
          'on conflict (copy, supplier) do update set state = excluded.state, seen_at = now()',
        );
        await sql.run("delete from supplier_breakers where seen_at < now() - interval '1 hour'");
      });
    } catch (error) {
      // Counted again with the next round.
      for (const [key, tally] of counted) {
        const since = tallies.get(key);
        if (since === undefined) tallies.set(key, tally);
        else
          Object.assign(since, { calls: since.calls + tally.calls, seconds: since.seconds + tally.seconds });
      }
      throw error;
    }
  };

  return {
    recorded(adapter) {
      adapters.push(adapter);
      watchBreaker(adapter.name, () => adapter.breakerState());
      const record =
        <Arguments extends unknown[], Result>(
          operation: string,
          call: (...args: Arguments) => Promise<Result>,
        ): ((...args: Arguments) => Promise<Result>) =>
        async (...args) => {
          try {
            return await outsideCall(adapter.name, operation, () => call(...args), {
              error: outcomeOf,
              onEnd: (outcome, seconds) => count(adapter.name, operation, outcome, seconds),
            });
          } catch (error) {
            if (error instanceof SupplierError && error.failureClass === 'account_blocked')
              await stopBuying(adapter.name, error);
            throw error;
          }
        };
      return {
        ...adapter,
        search: record('search', adapter.search),
        product: record('product', adapter.product),
        quote: record('quote', adapter.quote),
        ...(adapter.beforePlace === undefined ? {} : { beforePlace: record('quote', adapter.beforePlace) }),
        place: record('place', adapter.place),
        lookUp: record('look_up', adapter.lookUp),
        ...(adapter.standing === undefined ? {} : { standing: record('look_up', adapter.standing) }),
        preparePayment: record('prepare_payment', adapter.preparePayment),
        pay: record('pay', adapter.pay),
        status: record('status', adapter.status),
        cancel: record('cancel', adapter.cancel),
        read: record('read', adapter.read),
        registerPush: record('register_push', adapter.registerPush),
      };
    },
    flush,
  };
}

/** Reports every few seconds, and once more at the end. */
export function startCallReports(record: CallRecord, log: ServiceContext['log']): Periodic {
  const rounds = startPeriodic('supplier reports', 5_000, log, async () => {
    await record.flush();
    return 'idle';
  });
  return {
    wake: () => rounds.wake(),
    async stop() {
      await rounds.stop();
      await record.flush().catch(() => {});
    },
  };
}
