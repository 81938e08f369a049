import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readSettings } from '../../contracts/settings.ts';
import { NOTIFICATION_KINDS } from '../../contracts/vocabulary.ts';
import { sampleMails } from '../../deploy/mail-samples.ts';
import { brandOf } from '../../services/notifier/brand.ts';
import type { AnyMailView, MailView } from '../../services/notifier/mail-shape.ts';
import { loadTemplates } from '../../services/notifier/templates.ts';

const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url));
const BRAND = brandOf(
  readSettings({ ORDER_MANAGER_BRAND_NAME: 'Lantern & Larch', EMAIL_FROM: 'help@lantern.example' }),
);
const ours = await loadTemplates(TEMPLATES, { defaultLanguage: 'en' });

const shipped = (changes: Partial<MailView<'parcel_shipped'>> = {}): AnyMailView => ({
  kind: 'parcel_shipped',
  view: {
    orderName: '#1042',
    customerName: 'Zora <3',
    parcels: [
      {
        lines: [{ title: 'Tent "Été" & pegs', units: '2' }],
        carrier: 'La Poste',
        trackingNumber: 'LX123456789FR',
        trackingUrl: 'https://track.example/find?no=LX123456789FR',
        shippedOn: '',
        expectedBy: '',
      },
    ],
    isSeveral: false,
    isPartial: false,
    rest: [],
    areOthersUnderWay: false,
    ...changes,
  },
});

async function aFolder(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mail-templates-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** Ours, with these files of a shop in their places. */
const withOwn = async (files: Readonly<Record<string, string | Buffer>>) =>
  loadTemplates(TEMPLATES, { defaultLanguage: 'en', ownFolder: await aFolder(files) });

const file = (part: string): string =>
  `Subject: Hi {{orderName}}\n--- text ---\n${part}\n--- html ---\n<p>Hi</p>\n`;
const SHIPPED = 'en/parcel_shipped.mustache';

test('the project can write every kind of mail in each of its languages', () => {
  expect(ours.languages).toEqual(['de', 'en', 'es', 'fr']);
  for (const language of ours.languages) {
    const samples = sampleMails(ours, language);
    expect(new Set(samples.map(({ mail }) => mail.kind))).toEqual(new Set(NOTIFICATION_KINDS));
    for (const { mail } of samples) expect(ours.render(language, BRAND, mail).language).toBe(language);
  }
});

test('only the HTML is escaped', () => {
  const mail = ours.render('en', BRAND, shipped({ orderName: '<A&B>' }));
  expect(mail.subject).toContain('<A&B>');
  expect(mail.text).toContain('Hello Zora <3,');
  expect(mail.text).toContain('2 × Tent "Été" & pegs');
  expect(mail.text).toContain('Lantern & Larch');
  expect(mail.html).toContain('&lt;A&amp;B&gt;');
  expect(mail.html).toContain('Tent &quot;Été&quot; &amp; pegs');
  expect(mail.html).not.toContain('Zora <3');
});

test('a language that is not there is written in the default language', async () => {
  const french = await loadTemplates(TEMPLATES, { defaultLanguage: 'fr' });
  const mail = french.render('pt', BRAND, shipped());
  expect(mail).toEqual(french.render('fr', BRAND, shipped()));
  expect(mail.language).toBe('fr');
});

test('an order name with a line break cannot add a header', () => {
  const mail = ours.render('en', BRAND, shipped({ orderName: '#1\r\nBcc: all@shop.example' }));
  expect(mail.subject).not.toMatch(/[\r\n]/);
});

test('a tracking address that is no web address is left out', () => {
  const { view } = shipped() as { view: MailView<'parcel_shipped'> };
  const parcels = view.parcels.map((parcel) => ({ ...parcel, trackingUrl: 'javascript:alert(1)' }));
  const mail = ours.render('en', BRAND, shipped({ parcels }));
  expect(mail.html + mail.text).not.toContain('javascript');
  expect(mail.text).toContain('LX123456789FR');
});

test.each([
  ['{{customerNmae}}', '{{customerNmae}} is not known here'],
  ['{{total}}', '{{total}} is not known here'],
  ['{{#isPartial}}{{parcels}}{{/isPartial}}', '{{parcels}} is not known here'],
  ['{{title}}', '{{title}} is not known here'],
  ['{{^rest}}{{title}}{{/rest}}', '{{title}} is not known here'],
  ['{{#rest}}{{tittle}}{{/rest}}', '{{tittle}} is not known here'],
  ['{{#rest.length}}{{title}}{{/rest.length}}', '{{title}} is not known here'],
  ['{{#isPartal}}x{{/isPartal}}', '{{#isPartal}} is not known here'],
  ['{{#orderName.length}}x{{/orderName.length}}', '{{#orderName.length}} is not known here'],
  ['{{subject}}', '{{subject}} is not known here'],
  ['{{toString}}', '{{toString}} is not known here'],
  ['{{{customerName}}}', '{{&customerName}} is a kind of tag that mails do not use'],
  ['{{&customerName}}', '{{&customerName}} is a kind of tag that mails do not use'],
  ['{{=<% %>=}}', 'is a kind of tag that mails do not use'],
  ['{{> foter}}', '{{> foter}} is no file in a folder "partials"'],
  ['{{#isPartial}}', 'Unclosed section "isPartial"'],
  ['{{orderName', 'Unclosed tag'],
])('a template with %s stops the start and is named', async (part, problem) => {
  const loading = withOwn({ [SHIPPED]: file(part) });
  await expect(loading).rejects.toMatchObject({ code: 'template_invalid' });
  await expect(loading).rejects.toThrow(SHIPPED);
  await expect(loading).rejects.toThrow(problem);
});

test.each([
  'Hello\n--- text ---\nx\n--- html ---\nx',
  'Subject: x\n--- text ---\nx',
  'Subject: x\n--- html ---\nx\n--- text ---\nx',
  '',
])('a template without all of its parts stops the start (%j)', async (content) => {
  await expect(withOwn({ [SHIPPED]: content })).rejects.toThrow(`${SHIPPED}: is not a "Subject: " line`);
});

test('a file of the shop takes the place of ours, a partial for one language or for all', async () => {
  const templates = await withOwn({
    [SHIPPED]: file(
      '{{> greeting}}{{#parcels}}{{#lines}}{{units}} {{title}} of {{orderName}}{{/lines}}{{/parcels}}',
    ),
    'partials/greeting.mustache': 'Ahoy ',
    'fr/partials/question-text.mustache': '\nDites-nous !\n',
  });
  expect(templates.render('en', BRAND, shipped()).text).toBe('Ahoy 2 Tent "Été" & pegs of #1042');
  expect(templates.render('fr', BRAND, shipped()).text).toContain('Dites-nous !');
  expect(templates.render('es', BRAND, shipped())).toEqual(ours.render('es', BRAND, shipped()));
});

test('a wrong name in a partial is named with the partial', async () => {
  const files = { 'partials/top.mustache': '{{brandNmae}}' };
  await expect(withOwn(files)).rejects.toThrow('partials/top.mustache: {{brandNmae}} is not known here');
});

test('a partial that holds itself stops the start', async () => {
  const files = { 'partials/bottom.mustache': '{{> loop}}', 'partials/loop.mustache': '{{> bottom}}' };
  await expect(withOwn(files)).rejects.toThrow('{{> bottom}} holds itself');
});

test.each([
  'en/parcel_shiped.mustache',
  'partials/tpo.mustache',
  'parcel_shipped.mustache',
  `${SHIPPED}.txt`,
  'en/parcel_shipped.html',
])('a file of the shop that no mail is made of stops the start: %s', async (path) => {
  await expect(withOwn({ [path]: file('x') })).rejects.toThrow('is neither a mail nor a part of one');
});

test('a language of the shop’s own has to be whole', async () => {
  const reasons = { 'it/reasons.json': await readFile(join(TEMPLATES, 'en/reasons.json'), 'utf8') };
  const first = { 'it/order_confirmed.mustache': file('ciao') };
  await expect(withOwn(first)).rejects.toThrow('it/reasons.json: is missing');
  await expect(withOwn({ ...first, ...reasons })).rejects.toThrow('it/parcel_shipped.mustache: is missing');
  const files = NOTIFICATION_KINDS.map((kind) => [
    `it/${kind}.mustache`,
    file('ciao').replace(' {{orderName}}', ''),
  ]);
  const templates = await withOwn({ ...Object.fromEntries(files), ...reasons });
  expect(templates.render('it', BRAND, shipped())).toMatchObject({ language: 'it', text: 'ciao' });
});

test.each([
  ['{', 'is not valid JSON'],
  ['{"operator": "a person decides"}', 'payment_pending'],
  ['{"operater": "a person decides"}', 'operater'],
])('reasons that are not all there, or not known, stop the start: %s', async (content, problem) => {
  const loading = withOwn({ 'fr/reasons.json': content });
  await expect(loading).rejects.toThrow('fr/reasons.json');
  await expect(loading).rejects.toThrow(problem);
});

test('a reason that has several causes names no single one of them to the operator', async () => {
  for (const [language, payment, edit] of [
    ['en', 'purchase', 'cancelled'],
    ['fr', 'achat', 'annulée'],
    ['de', 'Einkauf', 'storniert'],
    ['es', 'compra', 'canceló'],
  ] as const) {
    const reasons = JSON.parse(await readFile(join(TEMPLATES, language, 'reasons.json'), 'utf8'));
    expect(reasons).toMatchObject({
      payment_pending: expect.stringContaining(payment),
      customer_edit_pending: expect.stringContaining(edit),
    });
  }
});

test('a missing kind, a missing default language or a missing folder stops the start', async () => {
  const folder = await aFolder({});
  await cp(TEMPLATES, folder, { recursive: true });
  await rm(join(folder, 'fr', 'order_confirmed.mustache'));
  const load = (place: string, defaultLanguage = 'en') => loadTemplates(place, { defaultLanguage });
  await expect(load(folder)).rejects.toThrow('fr/order_confirmed.mustache: is missing');
  await expect(load(folder, 'pt')).rejects.toThrow(
    /^ORDER_MANAGER_DEFAULT_LANGUAGE: .+ in this language, only in \w\w/,
  );
  await expect(load(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'template_invalid' });
  const own = loadTemplates(TEMPLATES, { defaultLanguage: 'en', ownFolder: join(folder, 'nowhere') });
  await expect(own).rejects.toThrow(/^ORDER_MANAGER_TEMPLATES_DIR: is not a folder/);
  await expect(own).rejects.not.toThrow('nowhere');
});

test('a file saved with Windows line ends, a comment and line fields in their section are fine', async () => {
  const content = file('{{! for Zora }}{{#parcels}}{{#lines}}{{units}} {{title}}{{/lines}}{{/parcels}}');
  const templates = await withOwn({ [SHIPPED]: content.replaceAll('\n', '\r\n') });
  expect(templates.render('en', BRAND, shipped()).text).toBe('2 Tent "Été" & pegs');
});

test('a file that an editor saved with a mark before its first letter is read like any other', async () => {
  const templates = await withOwn({ [SHIPPED]: `\uFEFF${file('Été')}` });
  expect(templates.render('en', BRAND, shipped())).toMatchObject({ subject: 'Hi #1042', text: 'Été' });
});

test('a file in another encoding stops the start: its accents would reach the customers broken', async () => {
  const loading = withOwn({ [SHIPPED]: Buffer.from(file('Été'), 'latin1') });
  await expect(loading).rejects.toThrow(`${SHIPPED}: is not UTF-8`);
});

test('files that are mounted as links are read, hidden ones are left alone', async () => {
  const folder = await aFolder({
    '..2026/en/parcel_shipped.mustache': file('Ahoy'),
    'en/.swp': 'x',
    '.x': 'x',
  });
  await symlink('..2026', join(folder, '..data'));
  await symlink('../..data/en/parcel_shipped.mustache', join(folder, SHIPPED));
  await symlink('.', join(folder, 'around'));
  const templates = await loadTemplates(TEMPLATES, { defaultLanguage: 'en', ownFolder: folder });
  expect(templates.render('en', BRAND, shipped()).text).toBe('Ahoy');
});
