import { readdirSync, readFileSync } from 'node:fs';
import Mustache from 'mustache';
import { expect, test } from 'vitest';

const TEMPLATES = new URL('../../templates/', import.meta.url);
const KINDS = ['order_confirmed', 'parcel_delivered', 'parcel_in_transit', 'parcel_shipped'];
const languages = readdirSync(TEMPLATES).sort();
const mails = languages.flatMap((language) => KINDS.map((kind) => ({ language, kind })));

const full = {
  brandName: 'Lantern & Larch',
  orderName: '#1042',
  customerName: 'Zora O’Malley <3',
  lines: [
    { title: 'Enamel mug, <b>red</b>', units: 2 },
    { title: 'Tent "Été" & pegs', units: 1 },
  ],
  total: '€1,234.50',
  carrier: 'La Poste',
  trackingNumber: 'LX123456789FR',
  trackingUrl: 'https://track.example/find?no=LX123456789FR&lang=en',
  hasTracking: true,
  isPartial: true,
  supportEmail: 'help@lantern.example',
};
const sparse: typeof full = {
  brandName: 'Lantern & Larch',
  orderName: '#1042',
  customerName: '',
  lines: [],
  total: '',
  carrier: '',
  trackingNumber: '',
  trackingUrl: '',
  hasTracking: false,
  isPartial: false,
  supportEmail: '',
};
type View = typeof full;
interface Mail {
  readonly language: string;
  readonly kind: string;
}

function blocksOf({ language, kind }: Mail): { subject: string; text: string; html: string } {
  const file = readFileSync(new URL(`${language}/${kind}.mustache`, TEMPLATES), 'utf8');
  const match = /^Subject: ([^\n]+)\n--- text ---\n(.+)\n--- html ---\n(.+)$/s.exec(file);
  const [, subject, text, html] = match ?? [];
  if (subject === undefined || text === undefined || html === undefined) {
    throw new Error(`${language}/${kind} is not made of a subject, a text and an HTML block`);
  }
  return { subject, text, html };
}

/** Only the HTML part escapes: nobody wants to read `&amp;` in a subject. */
function render(mail: Mail, view: View): { subject: string; text: string; html: string } {
  const { subject, text, html } = blocksOf(mail);
  const plain = { escape: (value: unknown) => String(value) };
  return {
    subject: Mustache.render(subject, view, {}, plain),
    text: Mustache.render(text, view, {}, plain),
    html: Mustache.render(html, view),
  };
}

const visible = (html: string): string => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/&[^\s;]+;/g, '');

test('every language has every kind of mail and nothing else', () => {
  expect(languages).toEqual(['en', 'fr']);
  for (const language of languages) {
    const files = readdirSync(new URL(language, TEMPLATES)).sort();
    expect(files).toEqual(KINDS.map((kind) => `${kind}.mustache`));
  }
});

test.each(mails)('$language $kind leaves no gap, whether it knows everything or next to nothing', (mail) => {
  const shippedWithoutLink = { ...full, carrier: '', trackingUrl: '', isPartial: false };
  for (const view of [full, sparse, shippedWithoutLink]) {
    const parts = render(mail, view);
    for (const part of Object.values(parts)) {
      expect(part).not.toMatch(/\{\{|\}\}|undefined|null|\[object|NaN/);
    }
    expect(parts.subject).toMatch(/^\S.*#1042.*$/);
    expect(parts.text).not.toMatch(/\n{3}|[^\S\n]\n|^[-\s]*\n/);
    expect(parts.text).not.toMatch(/^- *$|:[^\S\n]*\n(?!- )/m);
    expect(parts.text.match(/^- /gm) ?? []).toHaveLength(view.lines.length);
    expect(parts.html).not.toMatch(/<(td|p|a|h1|title)[^>]*>\s*<\/\1>/);
    expect(parts.html.match(/×/g) ?? []).toHaveLength(view.lines.length);
  }
});

test.each(mails)('$language $kind escapes in its HTML and nowhere else', (mail) => {
  const { text, html, subject } = render(mail, full);
  expect(text).toContain('Enamel mug, <b>red</b>');
  expect(text).toContain('Lantern & Larch');
  expect(text).not.toMatch(/&(amp|lt|#\d+|#x\w+);/);
  expect(subject).not.toContain('&');
  expect(html).toContain('&lt;b&gt;red&lt;&#x2F;b&gt;');
  expect(html).not.toContain('<b>');
});

test.each(mails)('$language $kind greets by name only who has one', (mail) => {
  const hello = mail.language === 'fr' ? 'Bonjour' : 'Hello';
  expect(render(mail, full).text).toMatch(new RegExp(`^${hello} Zora O’Malley <3,\n\n`));
  for (const part of ['text', 'html'] as const) {
    expect(render(mail, sparse)[part]).toContain(`${hello},`);
  }
});

test.each(mails)(
  '$language $kind shows the total or the tracking that belongs to it, and a link only if there is one',
  (mail) => {
    const [known, unknown] = [render(mail, full), render(mail, sparse)];
    const isOrder = mail.kind === 'order_confirmed';
    expect(known.text.includes(full.total)).toBe(isOrder);
    expect(known.text.includes(full.trackingNumber)).toBe(!isOrder);
    expect(known.text.includes(full.trackingUrl)).toBe(!isOrder && mail.kind !== 'parcel_delivered');
    expect(known.html.includes('href="https:&#x2F;&#x2F;track.example')).toBe(
      known.text.includes(full.trackingUrl),
    );
    expect(known.text).toContain(full.supportEmail);
    expect(unknown.html).not.toMatch(/href|mailto/);
    const whole = render(mail, { ...full, isPartial: false });
    expect(known.subject === whole.subject).toBe(isOrder);
  },
);

test.each(mails)('$language $kind is a single narrow column without anything remote', (mail) => {
  const { html } = blocksOf(mail);
  expect(html).toContain(`<html lang="${mail.language}">`);
  expect(html).toContain('max-width: 560px');
  expect(html).not.toMatch(/<(img|script|link|style|iframe)\b|url\(|src=|http|\swidth="\d+"/);
  expect([...html.matchAll(/<td/g)].length).toBe([...html.matchAll(/<tr/g)].length);
  for (const tag of ['table', 'tr', 'td', 'p', 'a', 'h1', 'title', 'body', 'html']) {
    const count = (pattern: string) => [...html.matchAll(new RegExp(pattern, 'g'))].length;
    expect([tag, count(`<${tag}[ >]`)]).toEqual([tag, count(`</${tag}>`)]);
  }
});

test.each(KINDS)('the French %s is set with French spaces and apostrophes', (kind) => {
  const { subject, text, html } = blocksOf({ language: 'fr', kind });
  for (const part of [subject, text, visible(html)]) {
    const words = part.replaceAll(/\{\{[^}]*\}\}/g, '');
    expect(words).not.toMatch(/[^\u00a0\u202f][;:!?]/);
    expect(words).not.toMatch(/['"]|&nbsp;/);
  }
});
