import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { expect, test } from 'vitest';
import { domainIn } from '../../services/notifier/brand.ts';
import { type MessageParts, toMessage } from '../../services/notifier/mime-message.ts';

const aMessage = (changes: Partial<MessageParts> = {}): MessageParts => ({
  from: 'Lantern & Larch <hello@lantern.example>',
  to: 'zora@customer.example',
  messageId: '<ord_1.parcel_shipped.prc_2@orders.lantern.example>',
  subject: 'Votre commande #1042 est en route — « Été »',
  text: 'Bonjour Zora',
  html: '<p>Bonjour Zora</p>',
  language: 'fr',
  ...changes,
});

/** As a reader sees line breaks. */
const shown = (text = ''): string => text.replaceAll(/\r\n?/g, '\n').trimEnd();

test('headers, text and HTML are read as they were meant', async () => {
  const { envelope, raw } = toMessage(aMessage({ replyTo: 'help@lantern.example' }));
  expect(envelope).toEqual({ from: 'hello@lantern.example', to: ['zora@customer.example'] });
  const mail = await simpleParser(raw);
  expect(mail.from?.text).toBe('"Lantern & Larch" <hello@lantern.example>');
  expect(mail.replyTo?.text).toBe('help@lantern.example');
  expect([mail.to].flat().map((to) => to?.text)).toEqual(['zora@customer.example']);
  expect(mail.subject).toBe('Votre commande #1042 est en route — « Été »');
  expect(mail.messageId).toBe('<ord_1.parcel_shipped.prc_2@orders.lantern.example>');
  expect(Math.abs((mail.date?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  expect([shown(mail.text), mail.html]).toEqual(['Bonjour Zora', '<p>Bonjour Zora</p>']);
});

test('a domain with letters beyond ASCII travels as mail servers know it', () => {
  const { envelope, raw } = toMessage(aMessage({ to: 'zora@bücher.example' }));
  expect(envelope.to).toEqual(['zora@xn--bcher-kva.example']);
  expect(String(raw)).toContain('\r\nTo: zora@xn--bcher-kva.example\r\n');
});

test.each([
  ['Bücher <post@bücher.example>', 'xn--bcher-kva.example'],
  ['hello@lantern.example', 'lantern.example'],
  ['', 'order-manager.invalid'],
])('the Message-IDs of %j are of the domain %s', (from, domain) => {
  expect(domainIn(from)).toBe(domain);
});

test('whatever a text holds comes back, in short lines of ASCII', async () => {
  const piece = fc.constantFrom(
    '.',
    '..',
    '\n',
    '\r\n',
    '\r',
    ' \n',
    '\t',
    '=',
    '=3D',
    '--',
    'é',
    '🏮',
    'x'.repeat(90),
  );
  const text = fc
    .array(fc.oneof(piece, fc.string()), { maxLength: 30 })
    .map((parts) => `a${parts.join('')}z`);
  await fc.assert(
    fc.asyncProperty(text, text, async (plain, html) => {
      const { raw } = toMessage(aMessage({ text: plain, html }));
      const lines = String(raw).split('\r\n');
      expect(lines.every((line) => line.length <= 76 && /^[\t\x20-\x7e]*$/.test(line))).toBe(true);
      const mail = await simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true });
      expect(shown(mail.text)).toBe(shown(plain));
      expect(shown(mail.html || '')).toBe(shown(html));
    }),
    { numRuns: 100 },
  );
});
