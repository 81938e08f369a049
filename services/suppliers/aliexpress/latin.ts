/** Latin letters that no accent can be taken off from, as their own languages write them without. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  ẞ: 'SS',
  æ: 'ae',
  Æ: 'AE',
  œ: 'oe',
  Œ: 'OE',
  ø: 'o',
  Ø: 'O',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'Th',
  ł: 'l',
  Ł: 'L',
  ħ: 'h',
  Ħ: 'H',
  ŧ: 't',
  Ŧ: 'T',
  ı: 'i',
  ŋ: 'ng',
  Ŋ: 'Ng',
};

const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/[‘’‚‛′ʼʹ`´]/g, "'"],
  [/[“”„‟″«»]/g, '"'],
  [/[‐‑‒–—―−]/g, '-'],
  [/[·•]/g, '.'],
  [/°/g, 'o'],
  [/[¡¿]/g, ''],
  // A picture says nothing to a postman, nor does what glues pictures together.
  [/\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200d|\ufe0f/gu, ''],
];

/**
 * One line in which accents are gone and signs are plain. Letters of other scripts stay as they are: turning them into
 * Latin ones would guess, and a wrong address is worse than none.
 */
export function toLatin(text: string): string {
  const plain = SIGNS.reduce((all, [pattern, sign]) => all.replace(pattern, sign), text);
  return plain
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\0-\x7f]/g, (letter) => LETTERS[letter] ?? letter)
    .replaceAll('⁄', '/')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Whether nothing but printable ASCII is left. */
export const isLatin = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);
