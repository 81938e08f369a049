/** Greek and Cyrillic letters as a postman elsewhere reads them, in lower case; `_` stands for none. */
const LETTERS = new Map(
  `α a, β v, γ g, δ d, ε e, ζ z, η i, θ th, ι i, κ k, λ l, μ m, ν n, ξ x, ο o, π p, ρ r, σ s, ς s, τ t, υ y, φ f, χ ch,
   ψ ps, ω o, а a, б b, в v, г g, д d, е e, ж zh, з z, и i, й y, к k, л l, м m, н n, о o, п p, р r, с s, т t, у u, ф f,
   х kh, ц ts, ч ch, ш sh, щ shch, ъ _, ы y, ь _, э e, ю yu, я ya, ё yo, і i, ї yi, є ye, ґ g, ў u, ј j, љ lj, њ nj,
   ћ c, ђ dj, џ dz, ѓ gj, ќ kj, ѕ dz`
    .split(',')
    .map((pair) => pair.trim().split(' '))
    .map(([letter = '', latin = '']) => [letter, latin.replace('_', '')]),
);

const FOREIGN = /[\p{Script=Greek}\p{Script=Cyrillic}]/gu;
const WIDE = /[\uff01-\uff5e]/g;

const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

function toLatinLetter(letter: string): string {
  const lower = letter.toLowerCase();
  // An accent is no other letter; where it is one, as in й, the table has it.
  const latin = LETTERS.get(lower) ?? LETTERS.get(lower.normalize('NFD').slice(0, 1)) ?? letter;
  return lower === letter ? latin : capitalised(latin);
}

/** The text with Greek, Cyrillic and wide letters as Latin ones; other scripts stay as they are. */
export const toLatinLetters = (text: string): string =>
  text
    .normalize('NFC')
    .replace(WIDE, (letter) => letter.normalize('NFKC'))
    .replace(/[οΟ][υύ]/g, (pair) => (pair.startsWith('Ο') ? 'Ou' : 'ou'))
    .replace(FOREIGN, toLatinLetter);
