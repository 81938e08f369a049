import { callPatienceMs } from '../../contracts/call-patience.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import type { FoundOrder } from './adapter.ts';
import { type PatientAdapter, REQUESTS_OF } from './policy.ts';
import { possibleSince } from './possible-since.ts';
import { doubtOf, type PurchasePorts } from './purchase-ports.ts';
import { readPurchase } from './purchase-row.ts';
import { refusedAndMade } from './refused-and-made.ts';
import { mayStand } from './seek-purchase.ts';
import { FORGOTTEN_DAYS } from './stray-calls.ts';
import { orNull } from './stray-orders.ts';
import { whileCallable } from './while-callable.ts';

const LIMIT = 20;
const MOST_OFTEN_MS = 60_000;

interface RefusedCall {
  readonly id: string;
  readonly orderId: string;
  readonly attempt: number;
}

/** One round: those that a supplier has had time enough to show. What was looked for counts as a look-up of its call. */
async function askRefusedAgain(ports: PurchasePorts, adapter: PatientAdapter): Promise<'more' | 'idle'> {
  const { store, bus, log, settings } = ports;
  const { name } = adapter;
  const due = await store.query<RefusedCall>(
    `select supplier_order_id as id, order_id as "orderId", attempt from purchase_intents
      where supplier = $1 and kind = 'create' and state = 'refused' and look_ups = 0
        and evidence ->> 'sent' is distinct from 'false'
        and updated_at < now() - $2::float8 * interval '1 millisecond'
        and updated_at > now() - $3 * interval '1 day' order by updated_at limit $4`,
    [name, doubtOf(settings).windowMs, FORGOTTEN_DAYS, LIMIT],
  );
  if (due.length === 0) return 'idle';
  const signal = (): AbortSignal => AbortSignal.timeout(callPatienceMs(settings) * REQUESTS_OF.lookUp);
  const ids = due.map(({ id }) => id);
  const standing = new Set(await mayStand(store, adapter, ids, signal));
  const made: (RefusedCall & { readonly living: readonly FoundOrder[] })[] = [];
  for (const call of due.filter(({ id }) => standing.has(id))) {
    const since = await possibleSince(store, call.orderId);
    const found = await orNull(ports, name, call.id, adapter.lookUp(call.id, signal(), since));
    const living = (found ?? []).filter(({ isCancelled }) => !isCancelled);
    if (living.length > 0) made.push({ ...call, living });
  }
  await commitAndPublish(store, bus, async (sql, say) => {
    await sql.run(
      `update purchase_intents set look_ups = 1
        where supplier_order_id = any($1::text[]) and kind = 'create' and state = 'refused'`,
      [ids],
    );
    for (const { id, attempt, living } of made) {
      const row = await readPurchase(sql, id);
      if (row !== undefined) say(refusedAndMade(log, row, attempt, living));
    }
  });
  return due.length === LIMIT ? 'more' : 'idle';
}

/**
 * Asks once more for what was refused, when any order of it would be shown: the question that follows the refusal at once
 * may come too early. Null where the supplier cannot be asked.
 */
export function startAskingRefusedAgain(ports: PurchasePorts, adapter: PatientAdapter): Periodic | null {
  if (!adapter.capabilities.looksUpByReference) return null;
  const everyMs = Math.min(MOST_OFTEN_MS, Math.max(100, doubtOf(ports.settings).windowMs));
  const round = whileCallable(ports, adapter, () => askRefusedAgain(ports, adapter));
  return startPeriodic(`refused ${adapter.name}`, everyMs, ports.log, round);
}
