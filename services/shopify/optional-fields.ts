/** What queries can do without: where it stands in their text, and what stands there instead. */
interface Optional {
  readonly fields: readonly string[];
  readonly text: string;
  readonly instead: string;
}

const OPTIONAL: readonly Optional[] = [
  // Of addresses alone: without it, it is put together of the other two.
  { fields: ['name'], text: 'firstName lastName name', instead: 'firstName lastName' },
  // For mails alone: without it they tell the total in the shop's currency.
  { fields: ['presentmentMoney'], text: 'presentmentMoney { amount currencyCode }', instead: '' },
  { fields: ['risk'], text: 'risk { recommendation assessments { riskLevel } }', instead: '' },
  { fields: ['city'], text: '{ name countryCode city }', instead: '{ name countryCode }' },
  {
    fields: ['handle', 'heldByRequestingApp'],
    text: '{ id reason handle heldByRequestingApp }',
    instead: '{ id reason }',
  },
];

/** In the words of Shopify, and in those of the usual library for GraphQL servers. */
const UNKNOWN = /Field '(\w+)' doesn't exist on type|Cannot query field "(\w+)" on type/;

/** The field that the shop says it does not know; undefined where it refuses something else. */
export function unknownFieldIn(message: string): string | undefined {
  const [, theirs, usual] = UNKNOWN.exec(message) ?? [];
  return theirs ?? usual;
}

/** The operation as far as the shop knows its fields; those that nobody can do without stay. */
export const withoutFields = (operation: string, unknown: ReadonlySet<string>): string =>
  OPTIONAL.filter(({ fields }) => fields.some((field) => unknown.has(field))).reduce(
    (text, { text: known, instead }) => text.replaceAll(known, instead),
    operation,
  );
