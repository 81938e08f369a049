/** PostgreSQL takes neither a NUL nor half of a surrogate pair. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

/** A text as it can be kept: what PostgreSQL does not take becomes the sign for a letter that nobody knows. */
export const toStorable = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd');

/** The beginning of a text, without the half of a character that a cut may leave. */
export const cutTo = (most: number, text: string): string => toStorable(text.slice(0, most));
