import { callPatienceMs } from '../../contracts/call-patience.ts';
import {
  SUPPLIER_ORDER_OUTCOME_UNKNOWN,
  SUPPLIER_ORDER_PLACING,
} from '../../contracts/events/purchase-outcome.ts';
import type { PurchasingPause } from '../../contracts/resources/purchasing-pause.ts';
import { commitForSure } from '../bus/commit-and-publish.ts';
import { moment } from '../moments.ts';
import { holdPauses } from '../purchasing-switch.ts';
import { type Asked, inRounds } from './in-rounds.ts';
import { type Begun, begin, countAbsence, type Deed, type Intent } from './ledger.ts';
import { hashOf, requestOf } from './place-request.ts';
import { isQuotedForHere, type PurchaseFacts, readFacts } from './purchase-facts.ts';
import {
  capsOf,
  doubtOf,
  gateOf,
  outcome,
  type PurchasePorts,
  type Withholding,
  withheld,
} from './purchase-ports.ts';
import { lockPurchases, markPlacing, type PurchaseRow } from './purchase-row.ts';
import { standingCaps } from './standing-caps.ts';

/** The wish to call a supplier once, for a supplier order as it was just read. */
export interface Claim {
  readonly row: PurchaseRow;
  readonly deed: Deed;
  readonly commandId: string;
  /** Of what will be sent. */
  readonly requestHash: string;
  readonly costMinor: number;
}

/** Whether the purchase is still what it was when the claim was made: only then the call is the right one. */
function stands(
  { deed, requestHash }: Claim,
  facts: PurchaseFacts,
  settings: PurchasePorts['settings'],
): boolean {
  const { row, isHeld } = facts;
  if (isHeld) return false;
  if (deed === 'pay') return row.state === 'awaiting_payment';
  if (row.state !== 'draft' || !isQuotedForHere(facts)) return false;
  const request = requestOf(facts, settings);
  return request !== undefined && hashOf(request) === requestHash;
}

const WAIT: Begun = { may: 'wait' };

type Judged = Asked<Claim> &
  ({ readonly may: 'wait' } | { readonly may: 'ask' } | ({ readonly may: 'not' } & Withholding));

/** What needs no ledger: whether it is still wanted, and whether anything forbids to spend. */
function judge(
  ports: PurchasePorts,
  asked: readonly Asked<Claim>[],
  facts: ReadonlyMap<string, PurchaseFacts>,
  pauses: readonly PurchasingPause[],
): Judged[] {
  const claimed = new Set<string>();
  return asked.map((one): Judged => {
    const { row, deed } = one.item;
    const now = facts.get(row.id);
    const key = `${deed}/${row.id}`;
    // Of several for the same deed the first is at it, as if the others had come while it was.
    if (claimed.has(key) || now === undefined || !stands(one.item, now, ports.settings))
      return { ...one, may: 'wait' };
    claimed.add(key);
    const closed = gateOf(ports, row, pauses);
    return closed === null ? { ...one, may: 'ask' } : { ...one, may: 'not', ...closed };
  });
}

async function toIntents(
  sql: Parameters<typeof begin>[0],
  { settings }: PurchasePorts,
  claims: readonly Claim[],
): Promise<Intent[]> {
  const caps = await standingCaps(sql, settings, claims);
  return claims.map(({ row, deed, requestHash, costMinor }, index) => {
    const standing = caps[index] ?? capsOf(settings);
    return {
      supplierOrderId: row.id,
      orderId: row.orderId,
      supplier: row.supplier,
      deed,
      requestHash,
      costMinor,
      currency: row.currency,
      callTimeoutMs: callPatienceMs(settings),
      // What is paid was counted when it was bought.
      caps: deed === 'create' ? standing : { ...standing, perDayMinor: undefined },
    };
  });
}

/**
 * Takes the right to call, in one transaction with all who ask for theirs at the same time: the rows are locked first
 * and read again under the lock, so that a change of the order comes before or after. Exactly one claim of a deed gets
 * `call`, and only when its intent is committed. What forbids the call is said to the order here.
 */
export const claim = inRounds(
  (ports: PurchasePorts, asked: readonly Asked<Claim>[]): Promise<readonly Begun[]> =>
    commitForSure(ports.store, ports.bus, async (sql, say) => {
      const ids = [...new Set(asked.map(({ item }) => item.row.id))];
      // Before the rows: while those are locked, the order host waits.
      const pauses = await holdPauses(sql);
      await lockPurchases(sql, ids);
      const facts = await readFacts(sql, ids);
      const judged = judge(ports, asked, facts, pauses);
      const asking = judged.filter(({ may }) => may === 'ask');
      const begun = await begin(
        sql,
        await toIntents(
          sql,
          ports,
          asking.map(({ item }) => item),
        ),
      );
      const results = judged.map((one): Begun => {
        if (one.may === 'wait') return WAIT;
        if (one.may === 'not') return one;
        return begun[asking.indexOf(one)] ?? WAIT;
      });

      const placing: Claim[] = [];
      for (const [index, { item, within }] of asked.entries()) {
        const { row, deed, commandId } = item;
        const result = results[index] ?? WAIT;
        if (result.may === 'not') within(() => say(withheld(row, commandId, 0, result)));
        if (deed === 'create' && result.may === 'call') {
          placing.push(item);
          const { attempt } = result;
          const shipToMark = facts.get(row.id)?.shipToMark;
          within(() =>
            say(outcome(row, SUPPLIER_ORDER_PLACING, `placing:${attempt}`, attempt, { shipToMark })),
          );
        }
        if (deed === 'create' && result.may === 'look_up') {
          // An outdated answer led back to draft. The ledger is right: nothing is called, and the doubt is taken up again.
          placing.push(item);
          const { attempt } = result;
          const cause = 'a draft with a purchase in doubt';
          within(() => {
            ports.log.error({ supplierOrderId: row.id, attempt }, cause);
            const data = { evidence: { cause } };
            say(outcome(row, SUPPLIER_ORDER_OUTCOME_UNKNOWN, `unknown:${commandId}`, attempt, data));
          });
        }
        // It was just seen unpaid: that counts as a look-up of the payment in doubt.
        if (deed === 'pay' && result.may === 'look_up')
          await countAbsence(
            sql,
            { supplierOrderId: row.id, deed, attempt: result.attempt },
            doubtOf(ports.settings),
          );
      }
      await markPlacing(sql, placing);
      for (const [index, { item }] of asked.entries())
        if (results[index]?.may === 'call') moment(`${item.deed}: before intent commit`);
      return results;
    }),
);
