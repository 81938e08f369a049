import Mustache, { type TemplateSpans } from 'mustache';
import type { Shape } from './mail-shape.ts';
import { invalid, type TemplateFile } from './template-files.ts';

/** How a partial is found, by its name. */
export type FindPartial = (name: string) => TemplateFile | undefined;

/** What the names mean at some place of a template, the innermost list last. */
type Scope = readonly Shape[];

const fieldIn = (scope: Scope, name: string): Shape[string] | undefined =>
  scope.findLast((shape) => Object.hasOwn(shape, name))?.[name];

function parse({ place }: TemplateFile, part: string): TemplateSpans {
  try {
    return Mustache.parse(part);
  } catch (cause) {
    throw invalid(place, cause instanceof Error ? cause.message : 'cannot be parsed', cause);
  }
}

/** A section asks whether there is something, `list.length` whether the list has items; a list's own section goes through it. */
function scopeWithin(scope: Scope, type: '#' | '^', name: string): Scope | undefined {
  const list = /^(\w+)\.length$/.exec(name)?.[1];
  const field = fieldIn(scope, list ?? name);
  if (field === undefined || (list !== undefined && typeof field === 'string')) return undefined;
  return typeof field === 'string' || type === '^' || list !== undefined ? scope : [...scope, field];
}

/**
 * Follows every tag of a template and of the partials it uses.
 * @returns those partials, by name.
 * @throws AppError `template_invalid` with the file and the tag: a name that the mail does not have, a partial that is
 * not there or holds itself, a tag that would go around the escaping.
 */
export function checkTemplate(
  file: TemplateFile,
  part: string,
  shape: Shape,
  find: FindPartial,
): ReadonlyMap<string, TemplateFile> {
  const used = new Map<string, TemplateFile>();

  // `inside`: names of the partials that led here.
  const checkPartial = (from: TemplateFile, name: string, scope: Scope, inside: readonly string[]): void => {
    const partial = find(name);
    if (partial === undefined) throw invalid(from.place, `{{> ${name}}} is no file in a folder "partials"`);
    if (inside.includes(name)) throw invalid(from.place, `{{> ${name}}} holds itself`);
    used.set(name, partial);
    check(partial, parse(partial, partial.content), scope, [...inside, name]);
  };

  const check = (at: TemplateFile, spans: TemplateSpans, scope: Scope, inside: readonly string[]): void => {
    for (const [type, name, , , children] of spans) {
      if (type === 'text' || type === '!') continue;
      if (type === '>') checkPartial(at, name, scope, inside);
      else if (type === 'name') {
        if (fieldIn(scope, name) !== 'text') throw invalid(at.place, `{{${name}}} is not known here`);
      } else if (type === '#' || type === '^') {
        const within = scopeWithin(scope, type, name);
        if (within === undefined) throw invalid(at.place, `{{${type}${name}}} is not known here`);
        if (Array.isArray(children)) check(at, children, within, inside);
      } else throw invalid(at.place, `{{${type}${name}}} is a kind of tag that mails do not use`);
    }
  };

  check(file, parse(file, part), [shape], []);
  return used;
}
