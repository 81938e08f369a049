import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Mustache, { type TemplateSpans } from 'mustache';
import { AppError } from '../../contracts/errors.ts';
import { NOTIFICATION_KINDS, type NotificationKind } from '../../contracts/vocabulary.ts';

/** What a mail can tell. Nothing is ever missing: what is not known is an empty text, and the template leaves it out. */
export interface MailVariables {
  readonly brandName: string;
  /** As the customer knows it: "#1042". */
  readonly orderName: string;
  readonly customerName: string;
  /** What is in the parcel, or in the order for its confirmation. */
  readonly lines: readonly { readonly title: string; readonly units: number }[];
  /** Written out with its currency, see `formatMoney`. */
  readonly total: string;
  readonly carrier: string;
  readonly trackingNumber: string;
  /** Shown only when it is an http or https address. */
  readonly trackingUrl: string;
  readonly hasTracking: boolean;
  /** The parcel holds a part of the order. */
  readonly isPartial: boolean;
  readonly supportEmail: string;
}

export interface RenderedMail {
  /** The language it is really written in, after the fallback. */
  readonly language: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface Templates {
  readonly languages: readonly string[];
  /** A language that is not there is written in the default language. Subject and text are not escaped, HTML is. */
  render(language: string, kind: NotificationKind, variables: MailVariables): RenderedMail;
}

interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const FILE = /^Subject: (?<subject>[^\n]+)\n--- text ---\n(?<text>.+)\n--- html ---\n(?<html>.+)$/s;

const FLAGS_AND_TEXTS: readonly string[] = [
  'brandName',
  'orderName',
  'customerName',
  'total',
  'carrier',
  'trackingNumber',
  'trackingUrl',
  'hasTracking',
  'isPartial',
  'supportEmail',
] satisfies (keyof MailVariables)[];
const LINE_FIELDS: readonly string[] = ['title', 'units'] satisfies (keyof MailVariables['lines'][number])[];

const invalid = (file: string, problem: string, cause?: unknown): AppError =>
  new AppError('template_invalid', `${file}: ${problem}`, { retryable: false, cause });

function checkTags(file: string, spans: TemplateSpans, isLine: boolean): void {
  for (const [type, name, , , children] of spans) {
    if (type === 'text' || type === '!') continue;
    // A partial, other delimiters and an unescaped value would all go around this check or around the escaping.
    if (type !== 'name' && type !== '#' && type !== '^') {
      throw invalid(file, `{{${type}${name}}} is a kind of tag that mails do not use`);
    }
    const isSection = type !== 'name';
    const isKnown =
      FLAGS_AND_TEXTS.includes(name) ||
      (isLine && LINE_FIELDS.includes(name)) ||
      (isSection && (name === 'lines' || name === 'lines.length'));
    if (!isKnown) throw invalid(file, `{{${isSection ? type : ''}${name}}} is not known here`);
    if (Array.isArray(children)) checkTags(file, children, isLine || (type === '#' && name === 'lines'));
  }
}

async function loadMail(folder: string, file: string): Promise<Mail> {
  const content = await readFile(join(folder, file), 'utf8').catch((cause: unknown) => {
    throw invalid(file, 'cannot be read', cause);
  });
  const { subject, text, html } = FILE.exec(content.replaceAll('\r\n', '\n'))?.groups ?? {};
  if (subject === undefined || text === undefined || html === undefined) {
    throw invalid(file, 'is not a "Subject: " line, a "--- text ---" part and a "--- html ---" part');
  }
  for (const part of [subject, text, html]) {
    let spans: TemplateSpans;
    try {
      spans = Mustache.parse(part);
    } catch (cause) {
      throw invalid(file, cause instanceof Error ? cause.message : 'cannot be parsed', cause);
    }
    checkTags(file, spans, false);
  }
  return { subject, text, html };
}

const plain = { escape: (value: unknown) => String(value) };

function render(mail: Mail, variables: MailVariables): Mail {
  const isLink = /^https?:\/\//i.test(variables.trackingUrl);
  const view: MailVariables = { ...variables, trackingUrl: isLink ? variables.trackingUrl : '' };
  return {
    // A name with a line break in it must not end the header.
    subject: Mustache.render(mail.subject, view, {}, plain).replaceAll(/\s+/g, ' ').trim(),
    text: Mustache.render(mail.text, view, {}, plain),
    html: Mustache.render(mail.html, view),
  };
}

/**
 * Reads `<folder>/<language>/<kind>.mustache` for every language folder and every kind, so that a broken mail stops
 * the start and not a customer's notification. Call it once; rendering reads no file.
 * @param defaultLanguage written when a customer's language is not there; must be one of the folders.
 * @throws AppError `template_invalid` naming the file, and the tag if it is one: a file or part is missing, does
 * not parse, or uses a tag that is not in `MailVariables` (`title` and `units` only within `lines`).
 */
export async function loadTemplates(folder: string, defaultLanguage = 'en'): Promise<Templates> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw invalid(folder, 'is not a folder of templates', cause);
  });
  const languages = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  if (!languages.includes(defaultLanguage)) {
    throw invalid(folder, `has no templates in the default language "${defaultLanguage}"`);
  }

  const mails = new Map<string, Mail>();
  for (const language of languages) {
    for (const kind of NOTIFICATION_KINDS) {
      const name = `${language}/${kind}`;
      mails.set(name, await loadMail(folder, `${name}.mustache`));
    }
  }

  return {
    languages,
    render(wanted, kind, variables) {
      const language = languages.includes(wanted) ? wanted : defaultLanguage;
      const mail = mails.get(`${language}/${kind}`);
      if (mail === undefined) throw invalid(`${language}/${kind}.mustache`, 'was never loaded');
      return { language, ...render(mail, variables) };
    },
  };
}
