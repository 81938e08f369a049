import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { roundToMinor } from '../../../contracts/money.ts';
import type { Bill, Push, PushMessage } from '../adapter.ts';
import { MaybeAmount, MaybeText, parseExactJson } from '../loose-json.ts';
import { CURRENCY } from './currency.ts';
import { isSdCode, stemOf } from './sd-code.ts';

const Message = z.object({
  messageId: MaybeText.catch(null),
  type: z.string().trim().min(1),
  params: z.record(z.string(), z.unknown()).nullish().catch(null),
});
type Message = z.infer<typeof Message>;

/** Empty, no JSON or no message of any type: CJ tries addresses with whatever it likes. */
function messageOf(body: Uint8Array): Message | null {
  try {
    return Message.safeParse(parseExactJson(new TextDecoder().decode(body))).data ?? null;
  } catch {
    return null;
  }
}

/** Texts and numbers, also out of lists; nothing else names an order. */
const textsOf = (value: unknown): string[] => {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  const text = MaybeText.safeParse(value).data ?? null;
  return text === null ? [] : [text];
};

const splitCodesOf = (list: unknown): string[] =>
  Array.isArray(list)
    ? list.flatMap((part) =>
        textsOf(z.looseObject({ orderCode: z.unknown() }).safeParse(part).data?.orderCode),
      )
    : [];

type Params = Readonly<Record<string, unknown>>;

const logisticNames = ({ orderId, storeOrderNumbers }: Params): string[] =>
  [orderId, storeOrderNumbers].flatMap(textsOf);

/** Where each topic names orders. Those that are not here are news about goods or about stock bought in advance. */
const NAMES = new Map<string, (params: Params) => string[]>([
  ['ORDER', ({ orderNumber, orderNum, cjOrderId }) => [orderNumber, orderNum, cjOrderId].flatMap(textsOf)],
  [
    'ORDERSPLIT',
    ({ originalOrderId, splitOrderList }) => [...textsOf(originalOrderId), ...splitCodesOf(splitOrderList)],
  ],
  ['LOGISTIC', logisticNames],
  ['LOGISTICS', logisticNames],
  ['MAKEUP', ({ relationOrderId }) => textsOf(relationOrderId)],
]);

const withStem = (reference: string): string[] =>
  isSdCode(reference) ? [stemOf(reference), reference] : [reference];

const referencesOf = ({ type, params }: Message): string[] => [
  ...new Set((NAMES.get(type.toUpperCase())?.(params ?? {}) ?? []).flatMap(withStem)),
];

const MakeUp = z.object({ orderId: MaybeText, amount: MaybeAmount.catch(null), status: MaybeText });
const IS_OPEN = new Map([
  ['CREATED', true],
  ['PAID', false],
  ['CANCELED', false],
  ['CANCELLED', false],
]);

/** The bill that a `MAKEUP` is about; null for any other message, and for one that does not say what became of its bill. */
function billOf({ type, params }: Message): Bill | null {
  const makeUp = type.toUpperCase() === 'MAKEUP' ? MakeUp.safeParse(params).data : undefined;
  const isOpen = IS_OPEN.get(makeUp?.status?.toUpperCase() ?? '');
  if (makeUp === undefined || makeUp.orderId === null || isOpen === undefined) return null;
  const { orderId: id, amount } = makeUp;
  const amountMinor = amount === null ? null : roundToMinor(amount, CURRENCY);
  return { id, amountMinor, currency: CURRENCY, isOpen };
}

/** HMAC-SHA256 over the raw bytes, keyed by the account's number as text; the header `sign` has it as base64. */
export const signatureOf = (openId: string, body: Uint8Array): Buffer =>
  createHmac('sha256', openId).update(body).digest();

function isSigned({ headers, body }: PushMessage, openId: string): boolean {
  const given = Buffer.from(headers.sign ?? '', 'base64');
  const expected = signatureOf(openId, body);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const isEmpty = ({ params }: Message): boolean => Object.keys(params ?? {}).length === 0;

/**
 * What a push is. The key comes from `openId`, never from the message. The registration's probes may be unsigned and
 * odd, and all want a yes, or CJ registers nothing: what says nothing is one, and so is whatever is not signed at all,
 * though it be shaped like news. Nothing of it is believed. A wrong signature is a forgery.
 *
 * References are orders' names as CJ writes them; a part of a split order is named with the order that it came from,
 * which is the one that we know. An order whose code changes (messageType `ORDER_CONNNECTED`, for goods that are not
 * CJ's own and hence never for ours) is news like any other: our number stays and is named too. A bill for more money
 * (`MAKEUP`) is news of the order that it is for, with the bill; a person pays it on CJ's site.
 */
export async function readPush(message: PushMessage, openId: () => Promise<string>): Promise<Push> {
  const said = messageOf(message.body);
  if (said === null || isEmpty(said)) return { kind: 'probe' };
  if ((message.headers.sign ?? '').trim() === '') return { kind: 'probe' };
  if (!isSigned(message, await openId())) return { kind: 'forged' };
  // Stable over retries, and counted per topic; without one the same bytes are the same message.
  const id = said.messageId ?? createHash('sha256').update(message.body).digest('hex');
  const bill = billOf(said);
  return {
    kind: 'news',
    messageId: `${said.type}:${id}`,
    topic: said.type,
    references: referencesOf(said),
    ...(bill === null ? {} : { bill }),
  };
}
