import { expect, test } from 'vitest';
import type { FailureClass } from '../../contracts/vocabulary.ts';
import {
  FAILURE_ROWS,
  failureClassOf,
  isTokenRejected,
} from '../../services/suppliers/cj-dropshipping/failure-classes.ts';

type Row = readonly [code: number, read: FailureClass, write: FailureClass];

const DOCUMENTED: readonly Row[] = [
  [429, 'throttled', 'throttled'],
  [804, 'permanent', 'permanent'],
  [806, 'permanent', 'permanent'],
  [5027, 'permanent', 'permanent'],
  [5030, 'permanent', 'permanent'],
  [11001, 'permanent', 'permanent'],
  [11100, 'permanent', 'permanent'],
  [1600000, 'transient', 'unknown_outcome'],
  [1600001, 'auth', 'auth'],
  [1600002, 'auth', 'auth'],
  [1600003, 'auth', 'auth'],
  [1600004, 'auth', 'auth'],
  [1600005, 'auth', 'auth'],
  [1600006, 'auth', 'auth'],
  [1600007, 'auth', 'auth'],
  [1600008, 'auth', 'auth'],
  [1600009, 'auth', 'auth'],
  [1600010, 'auth', 'auth'],
  [1600011, 'auth', 'auth'],
  [1600012, 'auth', 'auth'],
  [1600013, 'auth', 'auth'],
  [1600030, 'auth', 'auth'],
  [1600031, 'auth', 'auth'],
  [1600100, 'permanent', 'unknown_outcome'],
  [1600101, 'permanent', 'permanent'],
  [1600200, 'throttled', 'throttled'],
  [1600201, 'throttled', 'throttled'],
  [1600300, 'invalid_input', 'invalid_input'],
  [1600301, 'transient', 'unknown_outcome'],
  [1601000, 'auth', 'auth'],
  [1602000, 'not_found', 'not_found'],
  [1602001, 'not_found', 'not_found'],
  [1602002, 'unavailable', 'unavailable'],
  [1602003, 'unavailable', 'unavailable'],
  [1603000, 'permanent', 'unknown_outcome'],
  [1603001, 'permanent', 'unknown_outcome'],
  [1603002, 'permanent', 'unknown_outcome'],
  [1603003, 'duplicate_reference', 'duplicate_reference'],
  [1603100, 'not_found', 'not_found'],
  [1603101, 'permanent', 'unknown_outcome'],
  [1603102, 'unavailable', 'unknown_outcome'],
  [1604000, 'funds', 'funds'],
  [1604001, 'funds', 'funds'],
  [1605000, 'not_shippable', 'not_shippable'],
  [1605001, 'not_shippable', 'not_shippable'],
  [1605002, 'not_shippable', 'not_shippable'],
  [1606000, 'permanent', 'permanent'],
  [1606001, 'permanent', 'permanent'],
  [1607000, 'permanent', 'permanent'],
  [1607001, 'permanent', 'permanent'],
  [1607002, 'permanent', 'permanent'],
  [1607003, 'permanent', 'permanent'],
  [1607004, 'not_shippable', 'unknown_outcome'],
  [1607006, 'permanent', 'permanent'],
  [1607007, 'permanent', 'permanent'],
  [1607008, 'permanent', 'permanent'],
  [1607009, 'permanent', 'permanent'],
  [1607010, 'permanent', 'permanent'],
  [1608001, 'invalid_input', 'invalid_input'],
  [16900202, 'permanent', 'permanent'],
  [16900203, 'permanent', 'permanent'],
  [16900204, 'permanent', 'permanent'],
  [16900205, 'permanent', 'permanent'],
  [16900403, 'invalid_input', 'invalid_input'],
  [16900500, 'throttled', 'throttled'],
];

const refusal = (code: number | null, message = '', httpStatus = 200) => ({ httpStatus, code, message });

test.each(DOCUMENTED)('code %i is %s on a read and %s on a write', (code, read, write) => {
  expect(failureClassOf(refusal(code), 'read')).toBe(read);
  expect(failureClassOf(refusal(code), 'write')).toBe(write);
});

test('the ranges of the table do not overlap and hold no code that is not documented', () => {
  const rows = [...FAILURE_ROWS].sort(([a], [b]) => a - b);
  for (const [index, [from, to]] of rows.entries()) {
    expect(to).toBeGreaterThanOrEqual(from);
    expect(from).toBeGreaterThan(rows[index - 1]?.[1] ?? 0);
  }
  const documented = new Set(DOCUMENTED.map(([code]) => code));
  const covered = rows.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, step) => from + step),
  );
  const isMergeOrder = (code: number) => code > 11001 && code < 11100;
  expect(covered.filter((code) => !isMergeOrder(code) && !documented.has(code))).toEqual([]);
});

test.each([0, 200, 1699999, 42])(
  'the unknown code %i is doubt where money can move and final elsewhere',
  (code) => {
    expect(failureClassOf(refusal(code), 'write')).toBe('unknown_outcome');
    expect(failureClassOf(refusal(code), 'read')).toBe('permanent');
  },
);

test.each([
  [500, null, 'transient', 'unknown_outcome'],
  [502, 1604000, 'transient', 'unknown_outcome'],
  [503, 1600300, 'transient', 'unknown_outcome'],
  [429, null, 'throttled', 'throttled'],
  [429, 1600000, 'throttled', 'throttled'],
  [401, null, 'auth', 'auth'],
  [403, null, 'auth', 'auth'],
  [401, 401, 'auth', 'auth'],
  [403, 403, 'auth', 'auth'],
  [200, 401, 'auth', 'auth'],
  [401, 1600001, 'auth', 'auth'],
  [403, 1604000, 'funds', 'funds'],
  [404, null, 'transient', 'unknown_outcome'],
  [400, 1600300, 'invalid_input', 'invalid_input'],
] as const)('HTTP %i with code %s is %s on a read and %s on a write', (httpStatus, code, read, write) => {
  expect(failureClassOf(refusal(code, '', httpStatus), 'read')).toBe(read);
  expect(failureClassOf(refusal(code, '', httpStatus), 'write')).toBe(write);
});

test.each([
  [1603000, 'Create order fail: {"code":100104,"message":"[7001] IOSS type is mandatory"}', 'invalid_input'],
  [1603000, 'Create order fail: shippingPhone is invalid', 'invalid_input'],
  [1603000, 'The server is busy, please try again later', 'unknown_outcome'],
  [1603000, 'Create order fail, parameter invalid or server is busy', 'unknown_outcome'],
  [1603000, 'Create order fail', 'unknown_outcome'],
  [1603001, 'Balance is insufficient', 'funds'],
  [1603001, 'only UNPAID orders can be paid', 'unknown_outcome'],
  [1603001, 'insufficient inventory', 'unknown_outcome'],
  [1600100, 'Balance not enough', 'funds'],
  [1600100, 'Param error', 'invalid_input'],
  [1600100, 'Interface is offline', 'unknown_outcome'],
] as const)('on a write, %i with the text "%s" is %s', (code, message, failureClass) => {
  expect(failureClassOf(refusal(code, message), 'write')).toBe(failureClass);
});

test.each([
  ['insufficient inventory', 'unavailable'],
  ['out of stock', 'unavailable'],
  ['system error', 'transient'],
  ['status does not allow it', 'permanent'],
] as const)('a confirmation refused with "%s" is %s', (message, failureClass) => {
  expect(failureClassOf(refusal(1603001, message), 'read')).toBe(failureClass);
});

test('a token is renewed for the codes that a fresh one can mend, and never where repeating could buy twice', () => {
  for (const code of [1600001, 1600002, 1600003, 1600030]) {
    expect(isTokenRejected(refusal(code), 'write')).toBe(true);
    expect(isTokenRejected(refusal(code), 'read')).toBe(true);
  }
  for (const [code, httpStatus] of [
    [null, 401],
    [401, 401],
    [1600004, 401],
    [401, 200],
  ] as const)
    expect(isTokenRejected(refusal(code, '', httpStatus), 'write')).toBe(true);
  expect(isTokenRejected(refusal(null, '', 403), 'write')).toBe(false);
  expect(isTokenRejected(refusal(1600100), 'read')).toBe(true);
  expect(isTokenRejected(refusal(1600100), 'write')).toBe(false);
  expect(isTokenRejected(refusal(1600100, 'Param error'), 'read')).toBe(false);
  expect(isTokenRejected(refusal(1600001, '', 500), 'write')).toBe(false);
  expect(isTokenRejected(refusal(1600004), 'read')).toBe(false);
});

test.each([
  ['Invalid API key or access token', true],
  ['accessToken is invalid', true],
  ['CJ-Access-Token must not be empty', true],
  ['The token has expired', true],
  ['invalid token', true],
  ['Please log in again', true],
  ['Param error: platformToken is invalid', false],
  ['Param error: shippingAddress is invalid', false],
  ['Balance not enough', false],
])('1600100 with the text "%s" is a rejected login: %s', (message, isLogin) => {
  for (const kind of ['read', 'write'] as const) {
    expect(isTokenRejected(refusal(1600100, message), kind)).toBe(isLogin);
    expect(failureClassOf(refusal(1600100, message), kind) === 'auth').toBe(isLogin);
  }
});
