import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withoutPersonalData } from '../../services/suppliers/exchange.ts';
import { parseExactJson } from '../../services/suppliers/loose-json.ts';

test.each([
  ['9007199254740991', 9_007_199_254_740_991],
  ['9007199254740992', '9007199254740992'],
  ['-9007199254740993', '-9007199254740993'],
  ['8190000000000001', 8_190_000_000_000_001],
  ['12000031234567891', '12000031234567891'],
  ['{"a":12000031234567891}', { a: '12000031234567891' }],
  ['{"a" : 12000031234567891 }', { a: '12000031234567891' }],
  ['[1,12000031234567891]', [1, '12000031234567891']],
  ['["1,12000031234567891"]', ['1,12000031234567891']],
  ['[12000031234567892.5, 1e20]', [12000031234567892, 1e20]],
])('%s is read exactly', (text, value) => {
  expect(parseExactJson(text)).toEqual(value);
});

test('whatever integers an answer holds, each comes back digit for digit', () => {
  const integers = fc.array(fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n }));
  const spaces = fc.constantFrom('', ' ', '\n\t');
  fc.assert(
    fc.property(integers, spaces, (numbers, space) => {
      const text = `{"ids":${space}[${space}${numbers.join(`${space},${space}`)}${space}]}`;
      const ids = numbers.map((id) => (Number.isSafeInteger(Number(id)) ? Number(id) : String(id)));
      expect(parseExactJson(text)).toEqual({ ids });
    }),
  );
});

test.each([
  ['"a\\u0000b"', 'a\ufffdb'],
  ['{"message":"half \\ud83d"}', { message: 'half \ufffd' }],
  ['["\\uDE00 half", "\\ud83d\\ude00"]', ['\ufffd half', '😀']],
])('of %s what no database takes is replaced, so that the answer can be kept', (text, value) => {
  expect(parseExactJson(text)).toEqual(value);
});

test('a text that is cut for the evidence keeps no half of a character', () => {
  expect(withoutPersonalData(`${'x'.repeat(199)}😀`)).toBe(`${'x'.repeat(199)}\ufffd`);
});

test('what is no JSON is refused', () => {
  for (const text of ['', '<html>', '{"a":12000031234567891'])
    expect(() => parseExactJson(text)).toThrow(SyntaxError);
});
