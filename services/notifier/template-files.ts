import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../contracts/errors.ts';

export const invalid = (file: string, problem: string, cause?: unknown): AppError =>
  new AppError('template_invalid', `${file}: ${problem}`, { retryable: false, cause });

export interface TemplateFile {
  /** Where it really lies, for whoever has to mend it. */
  readonly place: string;
  readonly content: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Without the mark that some editors put before the first letter. */
async function readText(place: string): Promise<string> {
  const bytes = await readFile(place).catch((cause: unknown) => {
    throw invalid(place, 'cannot be read', cause);
  });
  try {
    return utf8.decode(bytes).replaceAll('\r\n', '\n');
  } catch (cause) {
    throw invalid(place, 'is not UTF-8: save it in that encoding', cause);
  }
}

/** Paths of all files below a folder, through links too, as a mounted folder is made of them; none that is hidden. */
async function pathsBelow(folder: string, inside: readonly string[] = []): Promise<string[]> {
  const real = await realpath(folder);
  if (inside.includes(real)) return [];
  const paths: string[] = [];
  for (const name of await readdir(folder)) {
    const place = join(folder, name);
    if (name.startsWith('.')) continue;
    const found = await stat(place).catch((cause: unknown) => {
      throw invalid(place, 'cannot be read', cause);
    });
    if (found.isDirectory()) paths.push(...(await pathsBelow(place, [...inside, real])));
    else paths.push(place);
  }
  return paths;
}

/** Files by their path below the folder, with `/`; line ends are `\n`. @param name what a message calls the folder. */
export async function readTemplateFolder(folder: string, name = folder): Promise<Map<string, TemplateFile>> {
  const places = await pathsBelow(folder).catch((cause: unknown) => {
    throw cause instanceof AppError ? cause : invalid(name, 'is not a folder of templates', cause);
  });
  const files = new Map<string, TemplateFile>();
  for (const place of places) {
    const path = place.slice(join(folder, '/').length).replaceAll('\\', '/');
    // Nothing else is ever part of a mail: it is only there to be named.
    const content = /\.(mustache|json)$/.test(path) ? await readText(place) : '';
    files.set(path, { place, content });
  }
  return files;
}
