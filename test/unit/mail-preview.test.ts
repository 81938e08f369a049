import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { NOTIFICATION_KINDS } from '../../contracts/vocabulary.ts';

const SCRIPT = fileURLToPath(new URL('../../deploy/mail-preview.ts', import.meta.url));

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mail-preview-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const preview = (folder: string, env: Readonly<Record<string, string>> = {}) =>
  promisify(execFile)(process.execPath, [SCRIPT, folder], { env });

test('the preview writes every mail in every language, as HTML and text, with a page that leads to them', async () => {
  const folder = await aFolder();
  const { stdout } = await preview(folder, { ORDER_MANAGER_BRAND_NAME: 'Lantern & Larch' });
  expect(stdout).toContain(join(folder, 'index.html'));
  const page = await readFile(join(folder, 'index.html'), 'utf8');
  for (const language of ['de', 'en', 'es', 'fr']) {
    const files = await readdir(join(folder, language));
    for (const kind of NOTIFICATION_KINDS) {
      expect(files).toEqual(expect.arrayContaining([`${kind}.html`, `${kind}.txt`]));
      expect(page).toContain(`href="${language}/${kind}.html"`);
    }
  }
  const text = await readFile(join(folder, 'fr/order_confirmed.txt'), 'utf8');
  expect(text).toMatch(/^Subject: Nous avons bien reçu votre commande #1042\n\nBonjour Zoé/);
  expect(text).toContain('Lantern & Larch');
});

test('a wrong name in a template of the shop is said with its file, and nothing is written', async () => {
  const [folder, own] = [await aFolder(), await aFolder()];
  await mkdir(join(own, 'fr/partials'), { recursive: true });
  await writeFile(join(own, 'fr/partials/question.mustache'), '{{suportEmail}}');
  await expect(preview(folder, { ORDER_MANAGER_TEMPLATES_DIR: own })).rejects.toMatchObject({
    code: 1,
    stderr: `${join(own, 'fr/partials/question.mustache')}: {{suportEmail}} is not known here\n`,
  });
  expect(await readdir(folder)).toEqual([]);
});
