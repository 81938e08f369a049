import { z } from 'zod';
import type { Settings } from './settings.ts';
import {
  CUSTOMER_MAILS,
  type CustomerMail,
  NOTIFICATION_KINDS,
  type NotificationKind,
} from './vocabulary.ts';

const words = (list: string): string[] =>
  list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

/** `all`, `none`, or kinds separated by commas. */
export const MailList = z.string().transform((list, context): readonly NotificationKind[] => {
  if (list.trim() === 'all') return NOTIFICATION_KINDS;
  if (list.trim() === 'none') return [];
  const wanted = words(list);
  const kinds = NOTIFICATION_KINDS.filter((kind) => wanted.includes(kind));
  if (kinds.length === new Set(wanted).size) return kinds;
  const message = `must be all, none, or a list of ${NOTIFICATION_KINDS.join(', ')}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const Teller = z.enum(['us', 'shop']);
type Teller = z.infer<typeof Teller>;

/** `us` or `shop` for every fact, or `fact=shop` and `fact=us` separated by commas; one that is not named is ours. */
export const MailTellers = z
  .string()
  .transform((list, context): Readonly<Partial<Record<CustomerMail, Teller>>> => {
    const tellers: Partial<Record<CustomerMail, Teller>> = {};
    const everything = Teller.safeParse(list.trim()).data;
    if (everything !== undefined) return Object.fromEntries(CUSTOMER_MAILS.map((fact) => [fact, everything]));
    for (const word of words(list)) {
      const [fact, teller, ...more] = word.split('=').map((part) => part.trim());
      const known = CUSTOMER_MAILS.find((kind) => kind === fact);
      const by = Teller.safeParse(teller);
      if (known === undefined || !by.success || more.length > 0) {
        const message = `must be us, shop, or pairs like parcel_shipped=shop; the facts are ${CUSTOMER_MAILS.join(', ')}`;
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      }
      tellers[known] = by.data;
    }
    return tellers;
  });

/**
 * Who mails a fact to the customer: we, the shop by its own mails, or nobody because the kind is switched off.
 * A kind that is the shop's is never mailed by us, but for an order that no shop has, and one that is ours never by the shop.
 */
export function mailedBy(
  settings: Pick<Settings, 'ORDER_MANAGER_MAILS' | 'ORDER_MANAGER_MAILS_BY'>,
  fact: CustomerMail,
): Teller | 'nobody' {
  if (!settings.ORDER_MANAGER_MAILS.includes(fact)) return 'nobody';
  return settings.ORDER_MANAGER_MAILS_BY[fact] ?? 'us';
}
