import type { Evidence } from '../../contracts/vocabulary.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import type { Moment } from '../moments.ts';
import { throughOutage } from '../store/outage.ts';
import type { OutboxRow, Say } from '../store/outbox.ts';
import type { Sql } from '../store/store.ts';
import { type Asked, inRounds } from './in-rounds.ts';
import { currentIntent, type IntentKey, settleAll, type Verdict } from './ledger.ts';
import { type PurchasePorts, withheld } from './purchase-ports.ts';
import {
  holdReferences,
  lockPurchases,
  type NamedOrder,
  ownersOf,
  type PurchaseRow,
  rememberPlaced,
  type TakenOver,
} from './purchase-row.ts';

/** What became of a call. */
export interface Settlement {
  readonly row: PurchaseRow;
  readonly deed: IntentKey['deed'];
  readonly attempt: number;
  readonly verdict: Verdict;
  /** The supplier's order that was bought, or paid. */
  readonly placed?: NamedOrder;
  /** Whose order at the supplier that was, and lives again. */
  readonly takesOver?: TakenOver | undefined;
  /** To the order, when the verdict is taken. */
  readonly message: OutboxRow | null;
  /** Said with it. */
  readonly beside?: readonly OutboxRow[];
  readonly recorded?: Moment | undefined;
}

type Settled = IntentKey &
  Verdict & { readonly asked: Asked<Settlement>; readonly owner: string | undefined };

const isAdoption = ({ deed, placed }: Settlement): boolean => deed === 'create' && placed !== undefined;
const referenceOf = ({ placed }: Settlement): string => placed?.supplierReference ?? '';

/** Parted so that in none two are about one supplier order or one order at the supplier: the later sees the earlier. */
function inWaves(asked: readonly Asked<Settlement>[]): Asked<Settlement>[][] {
  const waves: { names: Set<string>; members: Asked<Settlement>[] }[] = [];
  for (const one of asked) {
    const { row } = one.item;
    const references = isAdoption(one.item) ? referenceOf(one.item).split(',') : [];
    const names = [row.id, ...references.map((reference) => `${row.supplier}/${reference}`)];
    const last = waves.findLastIndex((wave) => names.some((name) => wave.names.has(name)));
    const wave = waves[last + 1] ?? { names: new Set<string>(), members: [] };
    if (waves[last + 1] === undefined) waves.push(wave);
    wave.members.push(one);
    for (const name of names) wave.names.add(name);
  }
  return waves.map(({ members }) => members);
}

/** What is adopted, and as what. */
const adoptionsIn = (
  asked: readonly Asked<Settlement>[],
): (Pick<Settlement, 'row' | 'takesOver'> & { readonly supplierReference: string })[] =>
  asked
    .filter(({ item }) => isAdoption(item))
    .map(({ item }) => ({
      row: item.row,
      supplierReference: referenceOf(item),
      takesOver: item.takesOver,
    }));

interface Beside {
  /** Their rows, locked, by id. */
  readonly known: ReadonlyMap<string, PurchaseRow>;
  /** Who has what they would adopt, by id. */
  readonly owners: ReadonlyMap<string, string>;
}

async function settleWave(
  sql: Sql,
  say: Say,
  { log }: PurchasePorts,
  { known, owners }: Beside,
  wave: readonly Asked<Settlement>[],
): Promise<void> {
  const settled = wave.map((asked): Settled => {
    const { row, deed, attempt, verdict } = asked.item;
    const key = { supplierOrderId: row.id, deed, attempt };
    const owner = isAdoption(asked.item) ? owners.get(row.id) : undefined;
    if (owner === undefined) return { ...key, ...verdict, asked, owner };
    const cause = 'the order is known as the purchase of another one';
    const evidence = { supplierReference: referenceOf(asked.item), cause, owner };
    return { ...key, state: 'unknown', evidence, asked, owner };
  });
  const taken = await settleAll(sql, settled);

  const remembered: Parameters<typeof rememberPlaced>[1][number][] = [];
  for (const one of settled) {
    const { asked, owner, evidence, attempt } = one;
    const { row, deed, placed, takesOver, message, beside = [] } = asked.item;
    const suspect = (suffix: string, why: Evidence): void =>
      say(withheld(row, `${suffix}:${attempt}`, attempt, { reason: 'duplicate_suspected', evidence: why }));
    if (owner !== undefined) {
      asked.within(() => {
        const supplierReference = referenceOf(asked.item);
        log.error({ supplierOrderId: row.id, supplierReference, owner }, 'an order of two purchases');
        suspect('taken', evidence);
      });
      continue;
    }
    const isTaken = taken.has(one);
    if (deed === 'create' && placed !== undefined && !isTaken) {
      const { supplierReference } = placed;
      const now = await currentIntent(sql, row.id, 'create');
      if (now?.state === 'done' && known.get(row.id)?.supplierReference === supplierReference) continue;
      asked.within(() => {
        log.error({ supplierOrderId: row.id, attempt }, 'a purchase answered after it had been given up');
        suspect('late', { supplierReference, lateAttempt: attempt });
      });
      continue;
    }
    // Money that has moved has moved, whatever the ledger took it for meanwhile.
    if (!isTaken && placed === undefined) continue;
    if (placed !== undefined) remembered.push({ ...placed, supplierOrderId: row.id, takesOver });
    if (message !== null) for (const said of [message, ...beside]) say(said);
  }
  await rememberPlaced(sql, remembered);
}

const settleTogether = inRounds(
  async (ports: PurchasePorts, asked: readonly Asked<Settlement>[]): Promise<readonly undefined[]> => {
    const moments = asked.flatMap(({ item }) => item.recorded ?? []);
    await commitAndPublish(
      ports.store,
      ports.bus,
      async (sql, say) => {
        const ids = asked.flatMap(({ item: { row, takesOver } }) => [
          row.id,
          ...(takesOver ? [takesOver.id] : []),
        ]);
        // Before the rows: while those are locked, the order host waits.
        await holdReferences(sql, adoptionsIn(asked));
        for (const wave of inWaves(asked)) {
          const owners = await ownersOf(sql, adoptionsIn(wave));
          const known = await lockPurchases(sql, ids);
          await settleWave(sql, say, ports, { known, owners }, wave);
        }
      },
      ...moments,
    );
    return asked.map(() => undefined);
  },
);

/**
 * Writes what became of a call, in one transaction with all who have something to write at the same time. It is the only
 * place where that is known: an outage of the database is waited for.
 */
export const settleCall = (ports: PurchasePorts, settlement: Settlement): Promise<undefined> =>
  throughOutage(() => settleTogether(ports, settlement));
