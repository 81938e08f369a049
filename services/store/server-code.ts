/** Parts of PostgreSQL that do nothing but read and write its files. */
const OF_FILES = new Set(['md.c', 'fd.c', 'buffile.c', 'slru.c', 'copydir.c', 'xlog.c']);
/** An internal error, and a want of rights. */
const UNSAID = new Set(['XX000', '42501']);
const DISK_FAILS = '58030';

const textOf = (error: object, name: string): string | undefined => {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
};

/**
 * The code that an error has, of PostgreSQL or not; undefined: none. Where a file of PostgreSQL refuses for a reason that
 * has no code of its own, such as a quota (EDQUOT), a limit of its size (EFBIG) or a file system that was set to be read
 * only (EROFS), the code is that of the data's own mistakes: the part of PostgreSQL that says it tells them apart.
 */
export function codeOf(error: Error): string | undefined {
  const code = textOf(error, 'code');
  const isOfFiles = code !== undefined && UNSAID.has(code) && OF_FILES.has(textOf(error, 'file') ?? '');
  return isOfFiles ? DISK_FAILS : code;
}
