import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readSettings } from '../../contracts/settings.ts';
import { sampleMails } from '../../deploy/mail-samples.ts';
import { brandOf } from '../../services/notifier/brand.ts';
import { loadTemplates } from '../../services/notifier/templates.ts';
import { noBrowser, openBrowser } from '../fixtures/browser.ts';

const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url));
const PHONE = { width: 360, height: 640 };

interface Seen {
  /** Elements that reach beyond the screen, or hold more than they show. */
  readonly overflowing: string[];
  /** Cells, paragraphs, headings and links without anything to see. */
  readonly empty: string[];
  /** Elements that no template of ours writes: somebody's text became markup. */
  readonly foreign: string[];
  readonly text: string;
  readonly title: string;
  readonly fontSizes: number[];
}

/** Runs in the page. */
function look(): Seen {
  const ours = 'html head meta title body table tbody tr td h1 p a br strong img'.split(' ');
  const seen: Seen = {
    overflowing: [],
    empty: [],
    foreign: [],
    text: document.body.innerText,
    title: document.title,
    fontSizes: [],
  };
  for (const element of document.querySelectorAll<HTMLElement>('*')) {
    const tag = element.tagName.toLowerCase();
    const shown = `<${tag}> ${element.innerText?.slice(0, 40) ?? ''}`;
    const { left, right, width, height } = element.getBoundingClientRect();
    const isBeyond = left < -0.5 || right > document.documentElement.clientWidth + 0.5;
    if (isBeyond || element.scrollWidth > element.clientWidth + 1) {
      if (isBeyond || getComputedStyle(element).display !== 'inline') seen.overflowing.push(shown);
    }
    if (!ours.includes(tag)) seen.foreign.push(shown);
    if (['td', 'p', 'h1', 'a', 'strong'].includes(tag)) {
      if (element.innerText.trim() === '' && element.querySelector('img') === null) seen.empty.push(shown);
      if (width === 0 || height === 0) seen.empty.push(shown);
      seen.fontSizes.push(Number.parseFloat(getComputedStyle(element).fontSize));
    }
  }
  return seen;
}

test.skipIf(noBrowser !== null)(
  `every mail fits a phone, with nothing empty or unescaped${noBrowser === null ? '' : ` (${noBrowser})`}`,
  async () => {
    const templates = await loadTemplates(TEMPLATES, { defaultLanguage: 'en' });
    const brand = brandOf(
      readSettings({
        ORDER_MANAGER_BRAND_NAME: 'Lantern & <i>Larch</i>',
        ORDER_MANAGER_MAIL_FOOTER:
          'Lantern & Larch GmbH, Registergericht Charlottenburg HRB 123456789012345678901234',
        EMAIL_FROM: 'a-very-long-address-for-all-the-questions@customers.lantern-and-larch.example',
      }),
    );
    const browser = await openBrowser();
    onTestFinished(() => browser.close());
    const page = await browser.newPage({ viewport: PHONE, javaScriptEnabled: true });
    for (const language of templates.languages) {
      for (const { name, mail } of sampleMails(templates, language)) {
        const { subject, html } = templates.render(language, brand, mail);
        await page.setContent(html);
        const { text, title, fontSizes, ...faults } = await page.evaluate(look);
        const place = `${language}/${name}`;
        expect({ place, ...faults }).toEqual({ place, overflowing: [], empty: [], foreign: [] });
        expect(title).toBe(subject);
        expect(text).toContain('Lantern & <i>Larch</i>');
        expect(text).not.toMatch(/&(amp|lt|gt|quot|#)|\{\{|undefined|\bnull\b/);
        expect(Math.min(...fontSizes)).toBeGreaterThanOrEqual(13);
        if ('customerName' in mail.view) expect(text).toContain(mail.view.customerName);
      }
    }
  },
);
