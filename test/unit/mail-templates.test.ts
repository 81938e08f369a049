import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { NOTIFICATION_KINDS } from '../../contracts/vocabulary.ts';
import { loadTemplates, type MailVariables } from '../../services/notifier/templates.ts';

const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url));

const aMail = (changes: Partial<MailVariables> = {}): MailVariables => ({
  brandName: 'Lantern & Larch',
  orderName: '#1042',
  customerName: 'Zora <3',
  lines: [{ title: 'Tent "Été" & pegs', units: 2 }],
  total: '€1,234.50',
  carrier: 'La Poste',
  trackingNumber: 'LX123456789FR',
  trackingUrl: 'https://track.example/find?no=LX123456789FR',
  hasTracking: true,
  isPartial: false,
  supportEmail: 'help@lantern.example',
  ...changes,
});

/** The real templates with one English mail made of these parts. */
async function templatesWith(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mail-templates-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(TEMPLATES, folder, { recursive: true });
  await writeFile(join(folder, 'en', 'parcel_shipped.mustache'), content);
  return folder;
}
const file = (part: string): string =>
  `Subject: Hi {{orderName}}\n--- text ---\n${part}\n--- html ---\n<p>Hi</p>\n`;

test('the project can write every kind of mail in each of its languages', async () => {
  const templates = await loadTemplates(TEMPLATES);
  expect(templates.languages).toEqual(['en', 'fr']);
  for (const language of templates.languages) {
    for (const kind of NOTIFICATION_KINDS) {
      const mail = templates.render(language, kind, aMail());
      expect(mail.language).toBe(language);
      expect(mail.subject).toContain('#1042');
      expect(mail.text).toMatch(/2\s×\sTent "Été" & pegs/);
      expect(mail.html).toMatch(/2\s×\sTent &quot;Été&quot; &amp; pegs/);
    }
  }
});

test('only the HTML is escaped', async () => {
  const templates = await loadTemplates(TEMPLATES);
  const mail = templates.render('en', 'order_confirmed', aMail({ orderName: '<A&B>' }));
  expect(mail.subject).toContain('<A&B>');
  expect(mail.text).toContain('Hello Zora <3,');
  expect(mail.text).toContain('Lantern & Larch');
  expect(mail.html).toContain('&lt;A&amp;B&gt;');
  expect(mail.html).not.toContain('Zora <3');
});

test('a language that is not there is written in the default language', async () => {
  const templates = await loadTemplates(TEMPLATES, 'fr');
  const mail = templates.render('de', 'parcel_shipped', aMail());
  expect(mail).toEqual(templates.render('fr', 'parcel_shipped', aMail()));
  expect(mail.language).toBe('fr');
});

test('an order name with a line break cannot add a header', async () => {
  const templates = await loadTemplates(TEMPLATES);
  const mail = templates.render('en', 'order_confirmed', aMail({ orderName: '#1\r\nBcc: all@shop.example' }));
  expect(mail.subject).not.toMatch(/[\r\n]/);
});

test('a tracking address that is no web address is left out', async () => {
  const templates = await loadTemplates(TEMPLATES);
  const mail = templates.render('en', 'parcel_shipped', aMail({ trackingUrl: 'javascript:alert(1)' }));
  expect(mail.html + mail.text).not.toContain('javascript');
  expect(mail.text).toContain('LX123456789FR');
});

test.each([
  ['{{customerNmae}}', /en\/parcel_shipped\.mustache.*\{\{customerNmae\}\}/],
  ['{{#hasTracking}}{{lines}}{{/hasTracking}}', /\{\{lines\}\}/],
  ['{{title}}', /\{\{title\}\}/],
  ['{{^lines}}{{title}}{{/lines}}', /\{\{title\}\}/],
  ['{{#lines}}{{tittle}}{{/lines}}', /\{\{tittle\}\}/],
  ['{{#isPartal}}x{{/isPartal}}', /\{\{#isPartal\}\}/],
  ['{{{customerName}}}', /\{\{&customerName\}\}/],
  ['{{&customerName}}', /\{\{&customerName\}\}/],
  ['{{> footer}}', /\{\{>footer\}\}/],
  ['{{=<% %>=}}', /\{\{=<% %>\}\}/],
  ['{{#isPartial}}', /Unclosed section "isPartial"/],
  ['{{orderName', /Unclosed tag/],
])('a template with %s stops the start and is named', async (part, problem) => {
  const folder = await templatesWith(file(part));
  await expect(loadTemplates(folder)).rejects.toMatchObject({
    code: 'template_invalid',
    message: expect.stringMatching(problem),
  });
});

test.each([
  'Hello\n--- text ---\nx\n--- html ---\nx',
  'Subject: x\n--- text ---\nx',
  'Subject: x\n--- html ---\nx\n--- text ---\nx',
  '',
])('a template without all of its parts stops the start (%j)', async (content) => {
  const folder = await templatesWith(content);
  await expect(loadTemplates(folder)).rejects.toMatchObject({
    code: 'template_invalid',
    message: expect.stringContaining('en/parcel_shipped.mustache'),
  });
});

test('a missing kind, a missing default language or a missing folder stops the start', async () => {
  const folder = await templatesWith(file('x'));
  await rm(join(folder, 'fr', 'order_confirmed.mustache'));
  await expect(loadTemplates(folder)).rejects.toThrow('fr/order_confirmed.mustache: cannot be read');
  await expect(loadTemplates(folder, 'es')).rejects.toThrow('default language "es"');
  await expect(loadTemplates(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'template_invalid' });
});

test('a file saved with Windows line ends, a comment and line fields in their section are fine', async () => {
  const folder = await templatesWith(
    file('{{! for Zora }}{{#lines}}{{units}} {{title}} of {{orderName}}{{/lines}}').replaceAll('\n', '\r\n'),
  );
  const templates = await loadTemplates(folder);
  expect(templates.render('en', 'parcel_shipped', aMail()).text).toBe('2 Tent "Été" & pegs of #1042');
});
