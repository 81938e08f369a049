import type { H3 } from 'h3';
import { z } from 'zod';
import type { CjAccount } from './cj/account.ts';
import type { CjOrders } from './cj/orders.ts';
import { withBody } from './control-body.ts';
import { FaultRule, type Faults } from './faults.ts';
import { readLedger } from './ledger.ts';
import type { Mailbox } from './mailbox.ts';
import { type LiveSettings, SettingsChange } from './settings.ts';
import type { Shop } from './shopify/shop.ts';
import { addShopControl } from './shopify/shop-control.ts';

/** Adds `/control/*`: the switches and the looking glass. No dialect, no faults, no login. */
export function addControl(
  app: H3,
  world: {
    shop: Shop;
    orders: CjOrders;
    account: CjAccount;
    mailbox: Mailbox;
    faults: Faults;
    settings: LiveSettings;
  },
): void {
  const { shop, orders, account, mailbox, faults, settings } = world;
  const shownSettings = (): Response => {
    const { timing, ...switches } = settings.current();
    return Response.json({ ...switches, timing, balance: account.balanceMinor() });
  };

  addShopControl(app, shop);
  app.get('/control/ledger', () => Response.json(readLedger({ orders, shop, mailbox, faults })));
  app.get('/control/mails/:number', (event) => {
    const raw = mailbox.raw(Number(event.context.params?.number));
    if (raw === null) return Response.json({ error: 'no such mail' }, { status: 404 });
    return new Response(new Uint8Array(raw), { headers: { 'content-type': 'message/rfc822' } });
  });
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
