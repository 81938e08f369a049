import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import type { MappingCandidate, MappingEntry } from '../../contracts/resources/product-mapping.ts';
import { writeMappingCsv } from '../../gateway/mapping-csv.ts';
import { readCsvMappings, readJsonMappings } from '../../gateway/mapping-file.ts';
import { aDie, type Die, oneOf } from '../fixtures/order-stories.ts';
import { aCandidate } from '../fixtures/shelves.ts';

const HEADING = 'variantId,sku,supplier,supplierProductId,supplierVariantId,unitsPerItem,countries,priority';
const csv = (...rows: string[]): string => [HEADING, ...rows].join('\n');
const problems = (text: string): string[] =>
  readCsvMappings(text).problems.map(({ row, field, problem }) => `${row} ${field}: ${problem}`);

test('a row is a candidate with its defaults, and the rows of one variant are its mapping', () => {
  const { entries, problems: none } = readCsvMappings(
    csv(
      '501,LAMP,cj_dropshipping,p1,v1,,,',
      '502,,aliexpress,p2,14:193#Black,2,US FR,3',
      '501,,aliexpress,p3,v3,,,2',
    ),
  );
  expect(none).toEqual([]);
  expect(entries).toEqual([
    {
      variantId: '501',
      sku: 'LAMP',
      candidates: [
        aCandidate('v1', { supplierProductId: 'p1' }),
        aCandidate('v3', { supplier: 'aliexpress', supplierProductId: 'p3', priority: 2 }),
      ],
    },
    {
      variantId: '502',
      sku: null,
      candidates: [
        aCandidate('14:193#Black', {
          supplier: 'aliexpress',
          supplierProductId: 'p2',
          unitsPerItem: 2,
          countries: ['US', 'FR'],
          priority: 3,
        }),
      ],
    },
  ]);
});

test('what spreadsheets make of a file is read: semicolons, a byte order mark, other columns first, empty rows', () => {
  const text =
    '\uFEFFsupplier;variantId;supplierVariantId;supplierProductId\r\n\r\ncj_dropshipping; 501 ;v1;p1\r\n;;;\r\n';
  const { entries, problems: none } = readCsvMappings(text);
  expect(none).toEqual([]);
  expect(entries).toEqual([
    { variantId: '501', sku: null, candidates: [aCandidate('v1', { supplierProductId: 'p1' })] },
  ]);
});

const BROKEN: readonly [string, string, string[]][] = [
  [
    'a number that a spreadsheet has rounded',
    csv('4.455E+13,,cj_dropshipping,p,v,,,'),
    ['2 variantId: must be the numeric id of a shop variant'],
  ],
  [
    'several cells of several rows',
    csv('501,,cj,p,v,0,,', '502,,cj_dropshipping,p,,,USA,1'),
    [
      expect.stringMatching(/^2 supplier: /),
      expect.stringMatching(/^2 unitsPerItem: /),
      expect.stringMatching(/^3 supplierVariantId: /),
      '3 countries.0: must be a two-letter country code',
    ] as string[],
  ],
  [
    'more cells than the heading',
    csv('501,,cj_dropshipping,p,v,,,1,9'),
    ['2 row: has more cells than the heading'],
  ],
  [
    'two SKUs of one variant',
    csv('501,A,cj_dropshipping,p,v,,,', '501,B,cj_dropshipping,p,w,,,'),
    ['3 sku: differs from an earlier row of this variant'],
  ],
  [
    'too many candidates',
    csv(...Array.from({ length: 21 }, (_, at) => `501,,cj_dropshipping,p,v${at},,,`)),
    ['22 row: a variant has 20 candidates at most'],
  ],
  [
    'a quote that is not closed',
    csv('501,,cj_dropshipping,p,v,,,', '502,"open,,,,,,'),
    [expect.stringMatching(/^\d+ row: cannot be read as CSV \(CSV_QUOTE_NOT_CLOSED\)$/)] as string[],
  ],
  [
    'a column that nobody knows',
    'variantId,colour\n501,red',
    [expect.stringMatching(/^1 colour: the heading names/)] as string[],
  ],
  ['nothing at all', '', [expect.stringMatching(/^1 variantId: /)] as string[]],
];

test.each(BROKEN)('%s is told by its row', (_name, text, told) => {
  expect(problems(text)).toEqual(told);
});

test('a JSON file tells the place of each mapping that is none, and of one that comes twice', () => {
  const good = {
    variantId: '501',
    candidates: [{ supplier: 'cj_dropshipping', supplierProductId: 'p', supplierVariantId: 'v' }],
  };
  const { entries, problems: told } = readJsonMappings([good, { ...good, candidates: [] }, good, 7]);
  expect(entries).toEqual([{ variantId: '501', candidates: [aCandidate('v', { supplierProductId: 'p' })] }]);
  expect(told.map(({ row, field }) => [row, field])).toEqual([
    [2, 'candidates'],
    [3, 'variantId'],
    [4, 'mapping'],
  ]);
});

const TEXTS = [
  'v1',
  '14:193#Black;5:100014064',
  'a "quoted" one',
  'two\nlines',
  'a, b; c',
  '=1+1',
  "'=1+1",
  "''@x",
  "'plain",
  '-1',
  'ümlaut',
  '007',
];

function anEntry(die: Die, variantId: string): MappingEntry {
  const text = () => oneOf(die, TEXTS);
  const seen = () => ({
    seen: { optionLabels: Array.from({ length: die(3) }, text), unitPriceMinor: die(9_000), currency: 'USD' },
  });
  const candidate = (): MappingCandidate =>
    aCandidate('first', {
      supplier: oneOf(die, ['cj_dropshipping', 'aliexpress']),
      supplierProductId: text(),
      unitsPerItem: 1 + die(5),
      bundledWith:
        die(2) === 0
          ? []
          : [
              {
                supplierProductId: text(),
                supplierVariantId: text(),
                unitsPerItem: 1 + die(3),
                ...(die(2) === 0 ? seen() : {}),
              },
            ],
      countries: oneOf(die, [[], ['US'], ['DE', 'FR']]),
      shipsFrom: oneOf(die, ['CN', 'DE']),
      priority: 1 + die(5),
      ...(die(2) === 0 ? { shippingMethod: text() } : {}),
      ...(die(2) === 0 ? seen() : {}),
    });
  return {
    variantId,
    sku: die(3) === 0 ? null : text(),
    candidates: Array.from({ length: 1 + die(3) }, candidate),
  };
}

test.each(['=HYPERLINK("http://x","y")', '+1', '-1', '@SUM(A1)', '\uff1d1', "'=1"])(
  'a spreadsheet that opens an export takes %s for a text and runs nothing',
  (text) => {
    const candidate = aCandidate(text, { supplierProductId: text, shippingMethod: text });
    const entries = [{ variantId: '501', sku: text, candidates: [candidate] }];
    const cells = parse(writeMappingCsv(entries, false)).flat();
    expect(cells.filter((cell) => cell.includes(text))).toEqual(Array(4).fill(`'${text}`));
    expect(readCsvMappings(writeMappingCsv(entries, true))).toEqual({ entries, problems: [] });
  },
);

test('whatever is exported is imported unchanged, also when it was written in pieces', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const die = aDie(seed);
    const entries = Array.from({ length: 1 + die(5) }, (_, index) => anEntry(die, String(500 + index)));
    const [first, ...rest] = entries;
    const text = writeMappingCsv(first === undefined ? [] : [first], true) + writeMappingCsv(rest, false);
    expect(readCsvMappings(text), `seed ${seed}`).toEqual({ entries, problems: [] });
    expect(readJsonMappings(JSON.parse(JSON.stringify(entries)))).toEqual({ entries, problems: [] });
  }
});
