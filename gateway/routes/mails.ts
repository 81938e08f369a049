import type { HTTPResponse } from 'h3';
import { MailReceipt } from '../../contracts/resources/mail.ts';
import { sendAgain } from '../../services/store/notifications.ts';
import type { Store } from '../../services/store/store.ts';
import { accepted } from '../answer.ts';
import { lockKnownOrder, orderIdIn } from '../locked-order.ts';
import { conflict } from '../problem.ts';
import type { Route } from '../route.ts';

export const mailRoutes = (store: Store): Route[] => [
  {
    method: 'POST',
    path: '/orders/:orderId/mails/send-again',
    handle: async (event): Promise<HTTPResponse> => {
      const orderId = orderIdIn(event);
      const mails = await store.transaction(async (sql) => {
        await lockKnownOrder(sql, orderId);
        return sendAgain(sql, orderId);
      });
      if (mails.length === 0)
        throw conflict('no mail of this order to its customer was refused for good or is in doubt');
      return accepted(MailReceipt.parse({ orderId, mails }));
    },
  },
];
