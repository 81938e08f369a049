import type { H3 } from 'h3';
import { z } from 'zod';
import { ALIEXPRESS_PRODUCTS } from './aliexpress/goods.ts';
import type { AliExpressOrders } from './aliexpress/orders.ts';
import type { CjAccount } from './cj/account.ts';
import type { CjGoods } from './cj/goods.ts';
import type { CjOrders } from './cj/orders.ts';
import type { CjPushes } from './cj/pushes.ts';
import { FaultRule, type Faults } from './faults.ts';
import { readLedger } from './ledger.ts';
import type { Mailbox } from './mailbox.ts';
import { type LiveSettings, SettingsChange } from './settings.ts';
import { ArticleChange, type Shelf } from './shelf.ts';
import type { Shop } from './shopify/shop.ts';
import { addShopControl } from './shopify/shop-control.ts';
import { withBody } from './with-body.ts';

const Shown = z.strictObject({ status: z.string().min(1).nullable() });

/** Adds `/control/*`: the switches and the looking glass. No dialect, no faults, no login. */
export function addControl(
  app: H3,
  world: {
    shop: Shop;
    orders: CjOrders;
    aliexpress: AliExpressOrders;
    account: CjAccount;
    goods: CjGoods;
    pushes: CjPushes;
    mailbox: Mailbox;
    faults: Faults;
    settings: LiveSettings;
    shelf: Shelf;
  },
): void {
  const { shop, orders, account, goods, pushes, mailbox, faults, settings, shelf } = world;
  /** Whatever any supplier of this world sells. */
  const variantIds: ReadonlySet<string> = new Set([
    ...goods.all().map(({ supplierVariantId }) => supplierVariantId),
    ...ALIEXPRESS_PRODUCTS.flatMap(({ skus }) => skus.map(({ skuId }) => skuId)),
  ]);
  const shownSettings = (): Response =>
    Response.json({ ...settings.current(), balance: account.balanceMinor() });

  addShopControl(app, shop);
  app.get('/control/ledger', () => Response.json(readLedger(world)));
  app.get('/control/mails/:number', (event) => {
    const raw = mailbox.raw(Number(event.context.params?.number));
    if (raw === null) return Response.json({ error: 'no such mail' }, { status: 404 });
    return new Response(new Uint8Array(raw), { headers: { 'content-type': 'message/rfc822' } });
  });
  app.put('/control/articles/:variantId', (event) =>
    withBody(event, (body) => {
      const variantId = event.context.params?.variantId ?? '';
      if (!variantIds.has(variantId)) return Response.json({ error: 'no such article' }, { status: 404 });
      return Response.json(shelf.change(variantId, ArticleChange.parse(body)));
    }),
  );
  app.post('/control/cj/tokens/expire', () => {
    account.expireAccess();
    return Response.json({ ok: true });
  });
  app.put('/control/cj/orders/:orderNumber/status', (event) =>
    withBody(event, (body) => {
      const { status } = Shown.parse(body);
      if (orders.show(event.context.params?.orderNumber ?? '', status)) return Response.json({ status });
      return Response.json({ error: 'no such order' }, { status: 404 });
    }),
  );
  app.post('/control/cj/orders/:orderNumber/pack', (event) =>
    orders.pack(event.context.params?.orderNumber ?? '')
      ? Response.json({ ok: true })
      : Response.json({ error: 'no such order to divide' }, { status: 404 }),
  );
  app.get('/control/cj/pushes', () => Response.json(pushes.sent()));
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
