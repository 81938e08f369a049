import { z } from 'zod';
import { CUSTOMER_MAILS } from '../vocabulary.ts';

/** The mails that are sent again in a moment. */
export const MailReceipt = z.object({ orderId: z.string(), mails: z.array(z.enum(CUSTOMER_MAILS)) });
export type MailReceipt = z.infer<typeof MailReceipt>;
