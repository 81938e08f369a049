import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Push, PushMessage } from '../adapter.ts';
import { MaybeText, parseExactJson } from '../loose-json.ts';
import { type AppCredentials, isPushSignature } from './sign.ts';

const Body = z.object({
  message_type: MaybeText,
  timestamp: MaybeText,
  data: z
    .object({
      orderId: MaybeText,
      order_id: MaybeText,
      orderStatus: MaybeText,
      order_status: MaybeText,
    })
    .nullish()
    .catch(null),
});
type Body = z.infer<typeof Body>;

/** What the message types are about. */
const TOPICS = new Map([
  ['18', 'tracking'],
  ['51', 'order_payment'],
  ['53', 'order_status'],
  ['65', 'authorization_expires'],
]);

function readBody(bytes: Uint8Array): Body | null {
  try {
    const body = Body.safeParse(parseExactJson(new TextDecoder().decode(bytes)));
    return body.success ? body.data : null;
  } catch {
    return null;
  }
}

const isProbe = ({ message_type: type }: Body): boolean => type === null || type === '0';

/** Two messages of one order that do not say when are one only where their bytes are the same. */
function toNews({ message_type, timestamp, data }: Body, bytes: Uint8Array): Push {
  const moment = timestamp ?? createHash('sha256').update(bytes).digest('hex');
  const type = message_type ?? '';
  const orderId = data?.orderId ?? data?.order_id ?? null;
  const status = data?.orderStatus ?? data?.order_status ?? '';
  return {
    kind: 'news',
    messageId: [type, orderId ?? '', status, moment].join(':'),
    topic: TOPICS.get(type) ?? type,
    references: orderId === null ? [] : [orderId],
  };
}

/**
 * What a push says. The console's try of the address, which has no type, is answered with yes even where it is not
 * signed: nothing follows from it. Every other message must be signed over its raw bytes.
 */
export function readPush(app: AppCredentials, { headers, body }: PushMessage): Push {
  const signature = headers.authorization ?? '';
  const isSigned = isPushSignature(app, body, signature);
  if (!isSigned && signature !== '') return { kind: 'forged' };
  if (!isSigned && body.length === 0) return { kind: 'probe' };
  const message = readBody(body);
  if (message !== null && isProbe(message)) return { kind: 'probe' };
  if (!isSigned) return { kind: 'forged' };
  return message === null ? { kind: 'unreadable' } : toNews(message, body);
}
