import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readSettings } from '../../contracts/settings.ts';
import { sampleMails } from '../../deploy/mail-samples.ts';
import { brandOf, contrast } from '../../services/notifier/brand.ts';
import { loadTemplates } from '../../services/notifier/templates.ts';

const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url));
const templates = await loadTemplates(TEMPLATES, { defaultLanguage: 'en' });

const FULL = brandOf(
  readSettings({
    ORDER_MANAGER_BRAND_NAME: 'Lantern & Larch',
    ORDER_MANAGER_LOGO_URL: 'https://cdn.example/logo.png?a=1&b=2',
    ORDER_MANAGER_MAIL_FOOTER: 'Lantern & Larch <GmbH>, Berlin',
    EMAIL_FROM: 'Shop <help@lantern.example>',
  }),
);
const BARE = brandOf(readSettings({}));

const written = [FULL, BARE].flatMap((brand) =>
  templates.languages.flatMap((language) =>
    sampleMails(templates, language).map(({ name, mail }) => ({
      title: `${language}/${name}${brand === BARE ? ', bare' : ''}`,
      brand,
      language,
      kind: mail.kind,
      view: mail.view,
      mail: templates.render(language, brand, mail),
    })),
  ),
);
const toCustomers = written.filter(({ kind }) => /^(order_confirmed|parcel_)/.test(kind));

const visible = (html: string): string =>
  html.replaceAll(/<head>.*?<\/head>|<[^>]*>/gs, ' ').replaceAll(/&[^\s;]+;/g, '');

test.each(written)('$title leaves no gap', ({ mail: { subject, text, html } }) => {
  for (const part of [subject, text, html]) expect(part).not.toMatch(/\{\{|\}\}|undefined|null|\[object|NaN/);
  expect(subject).toMatch(/^\S.*\S$/);
  expect(text).not.toMatch(/\n{3}|[^\S\n]\n|^[-\s]*\n/);
  expect(text).not.toMatch(/^- *$/m);
  // A line that announces something is followed by it.
  expect(text).not.toMatch(/:[^\S\n]*\n(?!- )/);
  expect(html).not.toMatch(/<(td|p|a|h1|title|strong)[^>]*>\s*<\/\1>/);
});

test.each(written)('$title escapes in its HTML and nowhere else', ({ mail: { text, html } }) => {
  expect(text).not.toMatch(/&(amp|lt|#\d+|#x\w+);/);
  expect(html).not.toMatch(/<(b|Söhne|GmbH|Insufficient)>/);
});

test.each(toCustomers)(
  '$title greets by name only who has one, and names the order',
  ({ mail, language, view }) => {
    const hello = { de: 'Guten Tag', en: 'Hello', es: 'Hola', fr: 'Bonjour' }[language];
    const name = 'customerName' in view && view.customerName !== '' ? ` ${view.customerName}` : '';
    expect(mail.text).toMatch(new RegExp(`^${hello}${name},\n\n`));
    expect(mail.subject).toContain('#1042');
  },
);

test.each(toCustomers)('$title shows a way to ask only where there is one', ({ mail, brand }) => {
  expect(mail.text.includes('help@lantern.example')).toBe(brand === FULL);
  expect(mail.html.includes('href="mailto:help@lantern.example"')).toBe(brand === FULL);
  expect(mail.html).not.toContain('mailto:"');
});

test.each(toCustomers)(
  '$title has a tracking button where the parcel can be followed, and no other',
  ({ kind, mail, view }) => {
    const links = 'parcels' in view ? view.parcels.filter(({ trackingUrl }) => trackingUrl !== '') : [];
    const expected = kind === 'parcel_delivered' ? 0 : links.length;
    expect(mail.html.match(/href="https:/g) ?? []).toHaveLength(expected);
    expect(mail.text.match(/https:/g) ?? []).toHaveLength(expected);
  },
);

test.each(written)(
  '$title is one narrow column that loads nothing but the logo',
  ({ mail: { html }, language, brand }) => {
    expect(html).toContain(`<html lang="${language}">`);
    expect(html).toContain('max-width: 560px');
    expect(html).not.toMatch(/<(script|link|style|iframe)\b|url\(|\swidth="\d+"/);
    expect(html.match(/<img\b/g) ?? []).toHaveLength(brand === FULL ? 1 : 0);
    for (const tag of ['table', 'tr', 'td', 'p', 'a', 'h1', 'title', 'body', 'html']) {
      const count = (pattern: string) => [...html.matchAll(new RegExp(pattern, 'g'))].length;
      expect([tag, count(`<${tag}[ >]`)]).toEqual([tag, count(`</${tag}>`)]);
    }
  },
);

test.each(written.filter(({ language, brand }) => language === 'fr' && brand === BARE))(
  '$title is set with French spaces and apostrophes',
  ({ kind }) => {
    const words = readFileSync(`${TEMPLATES}fr/${kind}.mustache`, 'utf8')
      .replace('Subject: ', '')
      .replaceAll(/\{\{[^}]*\}\}/g, '');
    expect(visible(words)).not.toMatch(/[^\u00a0\u202f][;:!?]/);
    expect(visible(words)).not.toMatch(/['"]|&nbsp;/);
  },
);

test('every language has the same files and nothing else', () => {
  const filesOf = (language: string) =>
    readdirSync(`${TEMPLATES}${language}`, { recursive: true }).map(String).sort();
  for (const language of templates.languages) expect(filesOf(language)).toEqual(filesOf('en'));
});

test('a parcel’s mail says what is in it, what is still to come and when it is expected', () => {
  const { text } = written.find(({ title }) => title === 'en/parcel_shipped-digest')?.mail ?? { text: '' };
  expect(text).toContain('Several parcels of your order #1042');
  expect(text).toMatch(/In this parcel:\n- 2 × Enamel mug/);
  expect(text).toContain('Expected by: December 5, 2026');
  expect(text).toContain('Still to come, separately:\n- 1,199 × Tent pegs');
});

test('who bought nothing that we send is promised no parcel, nor that anything is made ready', () => {
  const textOf = (name: string) => written.find(({ title }) => title === `en/${name}`)?.mail.text;
  expect(textOf('order_confirmed')).toContain('arrive in several parcels');
  expect(textOf('order_confirmed')).toContain('getting it ready');
  expect(textOf('order_confirmed-nothing-to-send')).not.toMatch(/parcel|ready/);
});

test('a delay promises no date, and the day that was expected is over', () => {
  const { text } = written.find(({ title }) => title === 'en/parcel_delayed')?.mail ?? { text: '' };
  expect(text).toContain('We have no new date that we could promise you.');
  expect(text).not.toContain('Expected by');
  expect(text).toContain('On its way since: October 24, 2026');
});

test.each(['#ffffff', '#ffe680', '#777777', '#1f4b99', '#000000'])('a brand of %s stays legible', (color) => {
  const brand = brandOf(readSettings({ ORDER_MANAGER_BRAND_COLOR: color }));
  expect(contrast(brand.buttonColor, brand.buttonTextColor)).toBeGreaterThan(3);
  expect(contrast(brand.linkColor, '#ffffff')).toBeGreaterThanOrEqual(4.5);
  expect(brand.buttonColor).toBe(color);
});
