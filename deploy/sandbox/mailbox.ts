import { z } from 'zod';
import type { Journal } from './journal.ts';
import { readMailHeader } from './mail-headers.ts';

const Mail = z.object({
  from: z.string(),
  to: z.array(z.string()),
  receivedAt: z.string(),
  messageId: z.string().nullable(),
  subject: z.string().nullable(),
  rawBase64: z.string(),
});
export type Mail = z.infer<typeof Mail>;

export interface Mailbox {
  receive(mail: { from: string; to: string[]; raw: Buffer }): void;
  /** In order of arrival; the first has number 1. */
  all(): Mail[];
  /** The bytes as they came in, or null. */
  raw(number: number): Buffer | null;
}

/** Everything that the mail server took, for good. */
export function createMailbox(journal: Journal): Mailbox {
  const kept = journal.collection('mail', Mail);
  return {
    receive({ from, to, raw }) {
      kept.put(String(kept.size + 1), {
        from,
        to,
        receivedAt: new Date().toISOString(),
        messageId: readMailHeader(raw, 'message-id'),
        subject: readMailHeader(raw, 'subject'),
        rawBase64: raw.toString('base64'),
      });
    },
    all: () => kept.all(),
    raw(number) {
      const mail = kept.get(String(number));
      return mail === undefined ? null : Buffer.from(mail.rawBase64, 'base64');
    },
  };
}
