import type { H3 } from 'h3';
import { z } from 'zod';
import { withBody } from '../with-body.ts';
import { amountOf, statusOf } from './order.ts';
import type { AliExpressOrders } from './orders.ts';
import type { AliExpressPushes } from './pushes.ts';
import type { AliExpressTokens } from './tokens.ts';

const PushTarget = z.strictObject({ url: z.url({ protocol: /^https?$/ }).nullable() });
const Shown = z.strictObject({ status: z.string().min(1).nullable() });
const End = z.strictObject({
  reason: z.string().min(1).default('cancel_order_close_trade'),
  description: z.string().min(1).default('Order cancelled by the buyer'),
});

const done = (result: boolean | null): Response => {
  if (result === null) return Response.json({ error: 'no such order' }, { status: 404 });
  if (!result) return Response.json({ error: 'the status of the order does not allow it' }, { status: 409 });
  return Response.json({ ok: true });
};

/** Adds `/control/aliexpress/*`: what only the owner, the seller or the console of the platform can do. */
export function addAliExpressControl(
  app: H3,
  world: { orders: AliExpressOrders; tokens: AliExpressTokens; pushes: AliExpressPushes },
): void {
  const { orders, tokens, pushes } = world;

  app.get('/control/aliexpress/orders', () => {
    const now = Date.now();
    return Response.json(
      orders.all().map((order) => ({ ...order, status: statusOf(order, now), amount: amountOf(order) })),
    );
  });
  app.post('/control/aliexpress/orders/:orderId/pay', (event) =>
    done(orders.pay(event.context.params?.orderId ?? '')),
  );
  app.post('/control/aliexpress/orders/:orderId/close', (event) =>
    withBody(event, (body) => done(orders.close(event.context.params?.orderId ?? '', End.parse(body)))),
  );
  app.put('/control/aliexpress/orders/:orderId/status', (event) =>
    withBody(event, (body) =>
      done(orders.show(event.context.params?.orderId ?? '', Shown.parse(body).status)),
    ),
  );
  app.post('/control/aliexpress/tokens/expire', () => {
    tokens.expireAccess();
    return Response.json({ ok: true });
  });
  app.put('/control/aliexpress/push', (event) =>
    withBody(event, (body) => {
      const { url } = PushTarget.parse(body);
      pushes.setUrl(url);
      return Response.json({ url });
    }),
  );
  app.post('/control/aliexpress/push/probe', async () => Response.json({ status: await pushes.probe() }));
  app.get('/control/aliexpress/pushes', () => Response.json(pushes.all()));
}
