const ENCODED_WORD = /=\?([^?]+)\?([bq])\?([^?]*)\?=(?:\s+(?==\?))?/gi;

function decodeQ(text: string): Buffer {
  const binary = text
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(binary, 'latin1');
}

const decodeWords = (value: string): string =>
  value.replace(ENCODED_WORD, (_, charset: string, encoding: string, text: string) => {
    const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : decodeQ(text);
    return new TextDecoder(charset).decode(bytes);
  });

/** The first header of that name, unfolded and readable; null if the mail has none. */
export function readMailHeader(raw: Buffer, name: string): string | null {
  const text = raw.toString('utf8');
  const end = text.search(/\r?\n\r?\n/);
  const headers = (end === -1 ? text : text.slice(0, end)).replace(/\r?\n[ \t]+/g, ' ');
  for (const line of headers.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (line.slice(0, colon).trim().toLowerCase() === name.toLowerCase()) {
      return decodeWords(line.slice(colon + 1).trim());
    }
  }
  return null;
}
