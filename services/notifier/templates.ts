import Mustache from 'mustache';
import { z } from 'zod';
import { HoldReason, NOTIFICATION_KINDS, type NotificationKind } from '../../contracts/vocabulary.ts';
import { type AnyMailView, BRAND, type BrandView, MAIL, SHAPES } from './mail-shape.ts';
import { checkTemplate, type FindPartial } from './template-check.ts';
import { invalid, readTemplateFolder, type TemplateFile } from './template-files.ts';

export interface RenderedMail {
  /** The language it is really written in, after the fallback. */
  readonly language: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** What each reason to hold an order means, for a person. */
const Reasons = z.record(HoldReason, z.string().trim().min(1));
export type Reasons = z.infer<typeof Reasons>;

export interface Templates {
  readonly languages: readonly string[];
  /** In that language, or in the default one. */
  reasonsIn(language: string): Reasons;
  /** A language that is not there is written in the default language. Subject and text are not escaped, HTML is. */
  render(language: string, brand: BrandView, mail: AnyMailView): RenderedMail;
}

interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly partials: Readonly<Record<string, string>>;
}

const FILE = /^Subject: (?<subject>[^\n]+)\n--- text ---\n(?<text>.+)\n--- html ---\n(?<html>.+)$/s;
const LANGUAGE = /^([a-z]{2,3}(?:-[A-Za-z0-9]+)*)\//;

type Files = ReadonlyMap<string, TemplateFile>;

function readMail(files: Files, language: string, kind: NotificationKind, read: Set<string>): Mail {
  const path = `${language}/${kind}.mustache`;
  const file = files.get(path);
  if (file === undefined) throw invalid(path, 'is missing');
  read.add(path);
  const { subject, text, html } = FILE.exec(file.content)?.groups ?? {};
  if (subject === undefined || text === undefined || html === undefined) {
    throw invalid(file.place, 'is not a "Subject: " line, a "--- text ---" part and a "--- html ---" part');
  }
  const find: FindPartial = (name) => {
    const paths = [`${language}/partials/${name}.mustache`, `partials/${name}.mustache`];
    const found = paths.find((place) => files.has(place));
    if (found !== undefined) read.add(found);
    return files.get(found ?? '');
  };
  const { subject: _, ...beforeSubject } = { ...BRAND, ...MAIL, ...SHAPES[kind] };
  const used = new Map([
    ...checkTemplate(file, subject, beforeSubject, find),
    ...checkTemplate(file, text, beforeSubject, find),
    ...checkTemplate(file, html, { ...beforeSubject, subject: MAIL.subject }, find),
  ]);
  const partials = Object.fromEntries([...used].map(([name, { content }]) => [name, content]));
  return { subject, text, html, partials };
}

function readReasons(files: Files, language: string, read: Set<string>): Reasons {
  const path = `${language}/reasons.json`;
  const file = files.get(path);
  if (file === undefined) throw invalid(path, 'is missing');
  read.add(path);
  try {
    return Reasons.parse(JSON.parse(file.content));
  } catch (cause) {
    const problem = cause instanceof z.ZodError ? z.prettifyError(cause) : 'is not valid JSON';
    throw invalid(file.place, problem, cause);
  }
}

const plain = { escape: (value: unknown) => String(value) };

/** A link to anything but a page is left out, wherever it came from. */
const safeLinks = (name: string, value: unknown): unknown =>
  name.endsWith('Url') && typeof value === 'string' && !/^https?:\/\//i.test(value) ? '' : value;

function render({ subject, text, html, partials }: Mail, view: object): Omit<RenderedMail, 'language'> {
  const safe: object = JSON.parse(JSON.stringify(view, safeLinks));
  // A name with a line break in it must not end the header.
  const line = Mustache.render(subject, safe, partials, plain).replaceAll(/\s+/g, ' ').trim();
  return {
    subject: line,
    text: Mustache.render(text, safe, partials, plain),
    html: Mustache.render(html, { ...safe, subject: line }, partials),
  };
}

/**
 * Reads `<language>/<kind>.mustache` for every language and kind, with `reasons.json` and the partials of
 * `<language>/partials` and `partials`, so that a broken mail stops the start and not a customer's notification. Rendering reads no file.
 * @param ownFolder the shop's: each of its files takes the place of ours of the same path, a language more is complete.
 * @param defaultLanguage written when a customer's language is not there.
 * @throws AppError `template_invalid` naming the file, and the tag if it is one, or the variable: a file or part is missing, does
 * not parse, or names what its mail does not have; or a file of the shop that no mail is made of.
 */
export async function loadTemplates(
  folder: string,
  {
    defaultLanguage,
    ownFolder,
  }: { readonly defaultLanguage: string; readonly ownFolder?: string | undefined },
): Promise<Templates> {
  const own: Files =
    ownFolder === undefined ? new Map() : await readTemplateFolder(ownFolder, 'ORDER_MANAGER_TEMPLATES_DIR');
  const files: Files = new Map([...(await readTemplateFolder(folder)), ...own]);
  const languages = [...new Set([...files.keys()].flatMap((path) => LANGUAGE.exec(path)?.[1] ?? []))].sort();
  if (!languages.includes(defaultLanguage)) {
    const all = languages.join(', ');
    throw invalid(
      'ORDER_MANAGER_DEFAULT_LANGUAGE',
      `there are no templates in this language, only in ${all}`,
    );
  }
  const read = new Set<string>();
  const mails = new Map<string, Mail>();
  const reasons = new Map(languages.map((language) => [language, readReasons(files, language, read)]));
  for (const language of languages) {
    for (const kind of NOTIFICATION_KINDS)
      mails.set(`${language}/${kind}`, readMail(files, language, kind, read));
  }
  const stray = [...own].find(([path]) => !read.has(path));
  if (stray !== undefined)
    throw invalid(stray[1].place, 'is neither a mail nor a part of one: is its name right?');

  return {
    languages,
    reasonsIn(wanted) {
      const found = reasons.get(wanted) ?? reasons.get(defaultLanguage);
      if (found === undefined) throw invalid(`${wanted}/reasons.json`, 'was never loaded');
      return found;
    },
    render(wanted, brand, { kind, view }) {
      const language = languages.includes(wanted) ? wanted : defaultLanguage;
      const mail = mails.get(`${language}/${kind}`);
      if (mail === undefined) throw invalid(`${language}/${kind}.mustache`, 'was never loaded');
      return { language, ...render(mail, { ...brand, ...view, language }) };
    },
  };
}
