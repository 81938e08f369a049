import type { H3, H3Event } from 'h3';
import { z } from 'zod';
import type { CjAccount } from './cj/account.ts';
import { ArticleChange, type CjGoods } from './cj/goods.ts';
import type { CjOrders } from './cj/orders.ts';
import type { CjPushes } from './cj/pushes.ts';
import { parseExactJson } from './exact-json.ts';
import { FaultRule, type Faults } from './faults.ts';
import { readLedger } from './ledger.ts';
import type { Mailbox } from './mailbox.ts';
import { type LiveSettings, SettingsChange } from './settings.ts';
import { toGid } from './shopify/gid.ts';
import type { Shop } from './shopify/shop.ts';

const badRequest = (detail: string): Response => Response.json({ error: detail }, { status: 400 });

/** Parses the body and hands it on; what is no JSON or not what is asked for is answered 400 with the reason. */
async function withBody(event: H3Event, use: (body: unknown) => Response): Promise<Response> {
  try {
    return use(parseExactJson(await event.req.text()));
  } catch (error) {
    if (error instanceof z.ZodError) return badRequest(z.prettifyError(error));
    if (error instanceof SyntaxError) return badRequest('the body is not valid JSON');
    throw error;
  }
}

/** Adds `/control/*`: the switches and the looking glass. No dialect, no faults, no login. */
export function addControl(
  app: H3,
  world: {
    shop: Shop;
    orders: CjOrders;
    account: CjAccount;
    goods: CjGoods;
    pushes: CjPushes;
    mailbox: Mailbox;
    faults: Faults;
    settings: LiveSettings;
  },
): void {
  const { shop, orders, account, goods, pushes, mailbox, faults, settings } = world;
  const shownSettings = (): Response => {
    const { timing, ...switches } = settings.current();
    return Response.json({ ...switches, timing, balance: account.balanceMinor() });
  };

  app.post('/control/shop/orders', (event) =>
    withBody(event, (body) => {
      const { order, isNew } = shop.register(body);
      const fulfillmentOrderIds = order.fulfillmentOrders.map(({ id }) => toGid('FulfillmentOrder', id));
      const answer = { orderId: toGid('Order', order.id), fulfillmentOrderIds, isNew };
      return Response.json(answer, { status: isNew ? 201 : 200 });
    }),
  );
  app.get('/control/ledger', () => Response.json(readLedger({ orders, shop, mailbox, faults })));
  app.get('/control/mails/:number', (event) => {
    const raw = mailbox.raw(Number(event.context.params?.number));
    if (raw === null) return Response.json({ error: 'no such mail' }, { status: 404 });
    return new Response(new Uint8Array(raw), { headers: { 'content-type': 'message/rfc822' } });
  });
  app.put('/control/articles/:variantId', (event) =>
    withBody(event, (body) => {
      const variantId = event.context.params?.variantId ?? '';
      const article = goods.change(variantId, ArticleChange.parse(body));
      if (article === null) return Response.json({ error: 'no such article' }, { status: 404 });
      const { priceMinor, stock, onSale } = article;
      return Response.json({ variantId, priceMinor, stock, onSale });
    }),
  );
  app.get('/control/pushes', () => Response.json(pushes.sent()));
  app.get('/control/faults', () => Response.json(faults.list()));
  app.put('/control/faults', (event) =>
    withBody(event, (body) => {
      faults.replace(z.array(FaultRule).parse(body));
      return Response.json(faults.list());
    }),
  );
  app.get('/control/settings', shownSettings);
  app.put('/control/settings', (event) =>
    withBody(event, (body) => {
      const change = SettingsChange.parse(body);
      settings.change(change);
      if (change.balance !== undefined) account.setBalance(change.balance);
      return shownSettings();
    }),
  );
}
