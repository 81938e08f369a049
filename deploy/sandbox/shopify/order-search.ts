import type { ShopOrder } from './shop-order.ts';
import { displayFulfillmentStatusOf } from './shop-order.ts';

export interface SearchWarning {
  readonly field: string;
  readonly message: string;
  readonly code: string;
}

type Test = (order: ShopOrder) => boolean;

const TERM = /(-)?([a-z_]+):(>=|<=|>|<)?(?:'([^']*)'|"([^"]*)"|(\S+))/g;

function compare(left: number, operator: string, right: number): boolean {
  switch (operator) {
    case '>=':
      return left >= right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '<':
      return left < right;
    default:
      return left === right;
  }
}

const byInstant =
  (pick: (order: ShopOrder) => string, operator: string, value: string): Test =>
  (order) =>
    compare(Date.parse(pick(order)), operator, Date.parse(value));

const FULFILLMENT_TERMS: Record<string, string[]> = {
  unshipped: ['UNFULFILLED'],
  unfulfilled: ['UNFULFILLED', 'PARTIALLY_FULFILLED'],
  partial: ['PARTIALLY_FULFILLED'],
  shipped: ['FULFILLED'],
  fulfilled: ['FULFILLED'],
};

function toTest(field: string, operator: string, value: string): Test | null {
  switch (field) {
    case 'updated_at':
      return byInstant(({ updatedAt }) => updatedAt, operator, value);
    case 'created_at':
      return byInstant(({ createdAt }) => createdAt, operator, value);
    case 'processed_at':
      return byInstant(({ processedAt }) => processedAt, operator, value);
    case 'id':
      return operator === ''
        ? ({ id }) => id === value
        : ({ id }) => /^\d+$/.test(value) && compare(Number(BigInt(id) - BigInt(value)), operator, 0);
    case 'name':
      return ({ name }) => name === value || name === `#${value}`;
    case 'test':
      return ({ test }) => String(test) === value;
    case 'tag':
      return ({ tags }) => tags.includes(value);
    case 'tag_not':
      return ({ tags }) => !tags.includes(value);
    case 'source_name':
      return ({ sourceName }) => sourceName === value;
    case 'financial_status':
      return ({ financialStatus }) => financialStatus?.toLowerCase() === value.toLowerCase();
    case 'fulfillment_status':
      return (order) =>
        (FULFILLMENT_TERMS[value.toLowerCase()] ?? []).includes(displayFulfillmentStatusOf(order));
    case 'status':
      return ({ closedAt, cancelledAt }) =>
        (closedAt === null && cancelledAt === null) === (value === 'open');
    default:
      return null;
  }
}

/**
 * Reads a search text: terms joined by blanks, all of which must hold; OR is not played. A term that the
 * shop does not know is ignored, so that everything matches, and only a warning tells.
 */
export function parseOrderSearch(query: string): { matches: Test; warnings: SearchWarning[] } {
  const tests: Test[] = [];
  const warnings: SearchWarning[] = [];
  for (const [, negated, field = '', operator = '', single, double, bare] of query.matchAll(TERM)) {
    const test = toTest(field, operator, single ?? double ?? bare ?? '');
    if (test === null) {
      warnings.push({ field, message: 'Invalid search field for this query.', code: 'invalid_field' });
    } else {
      tests.push(negated === undefined ? test : (order) => !test(order));
    }
  }
  return { matches: (order) => tests.every((test) => test(order)), warnings };
}
