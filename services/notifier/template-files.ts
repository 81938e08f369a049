import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../contracts/errors.ts';

export const invalid = (file: string, problem: string, cause?: unknown): AppError =>
  new AppError('template_invalid', `${file}: ${problem}`, { retryable: false, cause });

export interface TemplateFile {
  /** Where it really lies, for whoever has to mend it. */
  readonly place: string;
  readonly content: string;
}

/** Files by their path below the folder, with `/`; line ends are `\n`. @param name what a message calls the folder. */
export async function readTemplateFolder(folder: string, name = folder): Promise<Map<string, TemplateFile>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch((cause: unknown) => {
    throw invalid(name, 'is not a folder of templates', cause);
  });
  const files = new Map<string, TemplateFile>();
  for (const entry of entries) {
    if (!entry.isFile() || !/\.(mustache|json)$/.test(entry.name)) continue;
    const place = join(entry.parentPath, entry.name);
    const content = await readFile(place, 'utf8').catch((cause: unknown) => {
      throw invalid(place, 'cannot be read', cause);
    });
    const path = place.slice(join(folder, '/').length).replaceAll('\\', '/');
    files.set(path, { place, content: content.replaceAll('\r\n', '\n') });
  }
  return files;
}
