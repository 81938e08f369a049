import MimeNode, { type MimeNodeEnvelope } from 'nodemailer/lib/mime-node';
import { encode, wrap } from 'nodemailer/lib/qp';
import type { RenderedMail } from './templates.ts';

export interface OutgoingMail extends RenderedMail {
  /** With its angle brackets; appears in the mail exactly so. */
  readonly messageId: string;
  /** One bare address. */
  readonly to: string;
}

export interface MessageParts extends OutgoingMail {
  readonly from: string;
  /** Absent: answers go to `from`. */
  readonly replyTo?: string | undefined;
}

function partOf(type: string, content: string): string {
  const body = wrap(encode(content.replaceAll(/\r\n?|\n/g, '\r\n')));
  return `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${body}\r\n`;
}

export interface Message {
  readonly envelope: MimeNodeEnvelope;
  readonly raw: Buffer;
}

/**
 * The mail as it travels (RFC 5322), with text and HTML as alternatives. Addresses, headers and encoding are the
 * library's; its composer would join the same parts through a dozen streams, which was half of a mail's processor time.
 */
export function toMessage({
  from,
  replyTo,
  to,
  messageId,
  subject,
  text,
  html,
  language,
}: MessageParts): Message {
  const node = new MimeNode('multipart/alternative');
  node.setHeader({
    From: from,
    ...(replyTo === undefined ? {} : { 'Reply-To': replyTo }),
    To: { name: '', address: to },
    Subject: subject,
    'Message-ID': messageId,
    'Auto-Submitted': 'auto-generated',
    'Content-Language': language,
  });
  const headers = node.buildHeaders();
  const boundary = `--${node.boundary}`;
  const body = `${boundary}\r\n${partOf('text/plain', text)}${boundary}\r\n${partOf('text/html', html)}${boundary}--\r\n`;
  return { envelope: node.getEnvelope(), raw: Buffer.from(`${headers}\r\n\r\n${body}`) };
}
