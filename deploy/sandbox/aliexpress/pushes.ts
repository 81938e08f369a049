import type { Journal } from '../journal.ts';
import { createPushSender, type Push } from '../push-sender.ts';
import type { LiveSettings } from '../settings.ts';
import type { AliExpressOrder } from './order.ts';
import { type AppCredentials, pushSignatureOf } from './sign.ts';
import { ACCOUNT_ID } from './tokens.ts';
import { numberId, toWireText } from './wire.ts';

const ORDER_STATUS_UPDATE = 53;
const PROBE = 0;
const BUYER_ID = 6_000_000_002;

export type PushedStatus =
  | 'OrderCreated'
  | 'PaymentAuthorized'
  | 'paymentFailedEvent'
  | 'OrderShipped'
  | 'OrderConfirmed'
  | 'OrderClosed';

export interface News {
  readonly status: PushedStatus;
  /** When it happens; may lie ahead. */
  readonly at: number;
}

export interface AliExpressPushes {
  /** Sends what has a moment of its own, in the order and as often as the switches want. Nothing without a callback. */
  announce(order: AliExpressOrder, news: readonly News[]): void;
  /** What was announced and does not come true. */
  recall(order: AliExpressOrder, news: readonly News[]): void;
  setUrl(url: string | null): void;
  /** Sends the console's probe; the HTTP status of the answer, null without one. */
  probe(): Promise<number | null>;
  all(): readonly Push[];
  stop(): void;
}

const bodyOf = (type: number, data: object, at: number): string =>
  toWireText(
    { data, message_type: type, seller_id: ACCOUNT_ID, site: 'ae_global', timestamp: Math.floor(at / 1_000) },
    { listShape: 'wrapped', ids: 'usual' },
  );

/** Each pair of neighbours goes out at the moment of its later one, the later one first. */
function swapped(news: readonly News[]): { news: News; dueAt: number }[] {
  const pairs = Array.from({ length: Math.ceil(news.length / 2) }, (_, n) => news.slice(2 * n, 2 * n + 2));
  return pairs.flatMap((pair) => {
    const dueAt = Math.max(...pair.map(({ at }) => at));
    return pair.toReversed().map((one) => ({ news: one, dueAt }));
  });
}

/** What the platform tells the app's callback about its orders. */
export function createAliExpressPushes(
  journal: Journal,
  settings: LiveSettings,
  credentials: AppCredentials,
): AliExpressPushes {
  const switches = () => settings.current().aliexpress;
  const sender = createPushSender(journal, {
    kind: 'aliexpress_push',
    headers: (body) => ({ authorization: pushSignatureOf(credentials, body) }),
    retryMs: () => switches().pushRetryMs,
    answerWithinMs: () => switches().pushAnswerMs,
  });
  const idOf = ({ orderId }: AliExpressOrder, { status, at }: News): string => `${orderId}:${status}:${at}`;

  return {
    announce(order, news) {
      const { pushes, pushDelayMs } = switches();
      if (sender.url() === null || pushes === 'dropped') return;
      const planned =
        pushes === 'swapped' ? swapped(news) : news.map((one) => ({ news: one, dueAt: one.at }));
      for (const { news: one, dueAt } of planned) {
        const data = { orderId: numberId(order.orderId), orderStatus: one.status, buyerId: BUYER_ID };
        sender.plan({
          id: idOf(order, one),
          dueAt: dueAt + pushDelayMs,
          body: bodyOf(ORDER_STATUS_UPDATE, data, one.at),
          copies: pushes === 'twice' ? 2 : 1,
        });
      }
    },
    recall(order, news) {
      for (const one of news) sender.drop(idOf(order, one));
    },
    setUrl: (url) => sender.setUrl(url),
    probe: () => sender.send(bodyOf(PROBE, {}, Date.now())),
    all: () => sender.all(),
    stop: () => sender.stop(),
  };
}
