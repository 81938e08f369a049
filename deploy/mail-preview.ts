import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../contracts/errors.ts';
import { readSettings } from '../contracts/settings.ts';
import { writerOf } from '../services/notifier/service.ts';
import { sampleMails } from './mail-samples.ts';

const HELP = `npm run mail:preview [-- DIR]   writes every mail in every language, as HTML and text, from sample orders, with the
                                shop's own settings and templates (default .data/mail-preview)
`;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** @returns how many mails. */
async function writeMails(folder: string): Promise<number> {
  const { templates, brand } = await writerOf(readSettings(process.env));
  const links: string[] = [];
  for (const language of templates.languages) {
    await mkdir(join(folder, language), { recursive: true });
    for (const { name, mail } of sampleMails(templates, language)) {
      const { subject, text, html } = templates.render(language, brand, mail);
      const path = `${language}/${name}`;
      await writeFile(join(folder, `${path}.html`), html);
      await writeFile(join(folder, `${path}.txt`), `Subject: ${subject}\n\n${text}\n`);
      const texts = `<a href="${path}.txt">text</a>`;
      links.push(`<li><a href="${path}.html">${path}</a> (${texts}) ${escaped(subject)}</li>`);
    }
  }
  const page = `<!doctype html>\n<meta charset="utf-8">\n<title>Mails</title>\n<ul>\n${links.join('\n')}\n</ul>\n`;
  await writeFile(join(folder, 'index.html'), page);
  return links.length;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', default: false } },
  });
  if (values.help) return void process.stdout.write(HELP);
  const folder = resolve(positionals[0] ?? '.data/mail-preview');
  const count = await writeMails(folder);
  process.stdout.write(`${count} mails: open ${join(folder, 'index.html')}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
