import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import { DONE } from '../serve-commands.ts';
import { type CurrentIntent, currentIntent } from './ledger.ts';
import { type PurchasePorts, type Withholding, withheld } from './purchase-ports.ts';
import { lockPurchase, type PurchaseRow } from './purchase-row.ts';

/** A call that is over by its deadline is as much in doubt as one that is known to be. */
const outcomeIn = (intent: CurrentIntent | undefined): string | undefined =>
  intent === undefined
    ? undefined
    : `${intent.attempt} ${intent.state === 'calling' ? 'unknown' : intent.state}`;

/**
 * As `withhold`, for why a purchase stays in doubt. Nothing is said where the doubt was settled while that was found out:
 * a hold for it would stand beside a sound purchase, and nothing would release it.
 * @param doubt as it was when that was asked; undefined: the ledger had no call of it.
 */
export async function withholdDoubt(
  { store, bus }: PurchasePorts,
  row: PurchaseRow,
  commandId: string,
  doubt: CurrentIntent | undefined,
  why: Withholding,
): Promise<CommandResult> {
  await commitAndPublish(store, bus, async (sql, say) => {
    // Whoever settles it holds the row.
    await lockPurchase(sql, row.id);
    if (outcomeIn(await currentIntent(sql, row.id, 'create')) === outcomeIn(doubt))
      say(withheld(row, commandId, doubt?.attempt ?? 0, why));
  });
  return DONE;
}
