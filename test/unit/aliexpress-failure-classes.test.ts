import { expect, test } from 'vitest';
import type { FailureClass } from '../../contracts/vocabulary.ts';
import {
  banSecondsOf,
  FAILURE_FAMILIES,
  FAILURE_ROWS,
  failureClassOf,
  isKeyRejected,
  isTimeRefused,
  isTokenRejected,
  refusedFieldOf,
  saysNoSuchOrder,
} from '../../services/suppliers/aliexpress/failure-classes.ts';

type Row = readonly [code: string, read: FailureClass, write: FailureClass];
const ADDRESS = 'B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL';

const DOCUMENTED: readonly Row[] = [
  ['IncompleteSignature', 'auth', 'auth'],
  ['InvalidSignature', 'auth', 'auth'],
  ['InvalidAppKey', 'auth', 'auth'],
  ['MissingAppKey', 'permanent', 'permanent'],
  ['MissingParameter', 'invalid_input', 'invalid_input'],
  ['InvalidParameter', 'invalid_input', 'invalid_input'],
  ['InvalidApiPath', 'permanent', 'permanent'],
  ['IllegalTimestamp', 'auth', 'auth'],
  ['IllegalAccessToken', 'auth', 'auth'],
  ['AccessTokenExpired', 'auth', 'auth'],
  ['InvalidSession', 'auth', 'auth'],
  ['IllegalRefreshToken', 'auth', 'auth'],
  ['InvalidCode', 'auth', 'auth'],
  ['InsufficientPermission', 'permanent', 'permanent'],
  ['isv.insufficient-permission', 'permanent', 'permanent'],
  ['isv.account-migration-check-fail', 'account_blocked', 'account_blocked'],
  ['isv.invalid-authorization', 'auth', 'auth'],
  ['AppApiCallLimit', 'throttled', 'throttled'],
  ['ApiCallLimit', 'throttled', 'throttled'],
  ['ServiceUnavailable', 'transient', 'unknown_outcome'],
  ['InternalError', 'transient', 'unknown_outcome'],
  ['ServiceTimeout', 'transient', 'unknown_outcome'],
  ['15', 'transient', 'unknown_outcome'],
  ['isp.', 'transient', 'unknown_outcome'],
  ['isp.top-remote-connection-timeout', 'transient', 'unknown_outcome'],
  ['ITEM_ID_NOT_FOUND', 'not_found', 'not_found'],
  ['DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS', 'not_shippable', 'not_shippable'],
  ['DELIVERY_INFO_EMPTY', 'not_shippable', 'not_shippable'],
  ['EXCEPTION_TEXT_SEARCH_FOR_DS', 'transient', 'unknown_outcome'],
  ['1001', 'not_found', 'unknown_outcome'],
  [ADDRESS, 'invalid_input', 'invalid_input'],
  [`${ADDRESS}_CPF_CN_INVALID`, 'invalid_input', 'invalid_input'],
  [`${ADDRESS}_CPF_NOT_MATCH`, 'invalid_input', 'invalid_input'],
  // Only the ends of these two are documented.
  ['B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID', 'invalid_input', 'invalid_input'],
  ['B_DROPSHIPPER_CPF_NOT_MATCH', 'invalid_input', 'invalid_input'],
  ['DELIVERY_METHOD_NOT_EXIST', 'not_shippable', 'not_shippable'],
  ['INVENTORY_HOLD_ERROR', 'unavailable', 'unavailable'],
  ['SKU_NOT_EXIST', 'not_found', 'not_found'],
  ['PRICE_PAY_CURRENCY_ERROR', 'price_changed', 'price_changed'],
  ['REPEATED_ORDER_ERROR', 'duplicate_reference', 'duplicate_reference'],
  ['A001_ORDER_CANNOT_BE_PLACED', 'permanent', 'permanent'],
  ['A002_INVALID_ZONE', 'not_shippable', 'not_shippable'],
  ['A003_SUSPICIOUS_BUYER', 'account_blocked', 'account_blocked'],
  ['A004_CANNOT_USER_COUPON', 'permanent', 'permanent'],
  ['A005_INVALID_COUNTRIES', 'not_shippable', 'not_shippable'],
  ['A006_INVALID_ACCOUNT_INFO', 'account_blocked', 'account_blocked'],
  ['BLACKLIST_BUYER_IN_LIST', 'account_blocked', 'account_blocked'],
  ['USER_ACCOUNT_DISABLED', 'account_blocked', 'account_blocked'],
  ['ERROR_WHEN_BUILD_FOR_PLACE_ORDER', 'transient', 'unknown_outcome'],
  ['REMOTE_CREATE_ORDER_RESULT_ERROR', 'transient', 'unknown_outcome'],
  ['PARM_ILLEGL', 'invalid_input', 'invalid_input'],
];

const refusal = (codes: readonly string[], message = '', httpStatus = 200) => ({
  httpStatus,
  codes,
  message,
});

test.each(DOCUMENTED)('code %s is %s on a read and %s on a write', (code, read, write) => {
  expect(failureClassOf(refusal([code]), 'read')).toBe(read);
  expect(failureClassOf(refusal([code]), 'write')).toBe(write);
});

test('the table holds each code once and none that is not documented', () => {
  const codes = [...FAILURE_ROWS, ...FAILURE_FAMILIES].map(([code]) => code);
  expect(new Set(codes).size).toBe(codes.length);
  expect(codes.filter((code) => !DOCUMENTED.some(([documented]) => documented === code))).toEqual([]);
});

test.each([[['SOMETHING_NEW']], [['isv.something-new', '15']], [['15', 'SOMETHING_NEW']], [[]]])(
  'the unknown codes %j are doubt where money can move and final elsewhere',
  (codes) => {
    expect(failureClassOf(refusal(codes), 'write')).toBe('unknown_outcome');
    expect(failureClassOf(refusal(codes), 'read')).toBe('permanent');
  },
);

test('of several codes the first one that is known decides', () => {
  expect(failureClassOf(refusal(['isv.invalid-authorization', '15']), 'read')).toBe('auth');
  expect(failureClassOf(refusal(['SOMETHING_NEW', 'ServiceTimeout']), 'read')).toBe('transient');
});

test.each([
  [500, ['IllegalAccessToken'], 'transient', 'unknown_outcome'],
  [502, [], 'transient', 'unknown_outcome'],
  [429, [], 'throttled', 'throttled'],
  [404, [], 'transient', 'unknown_outcome'],
  [400, ['MissingParameter'], 'invalid_input', 'invalid_input'],
] as const)('HTTP %i with %j is %s on a read and %s on a write', (httpStatus, codes, read, write) => {
  expect(failureClassOf(refusal(codes, '', httpStatus), 'read')).toBe(read);
  expect(failureClassOf(refusal(codes, '', httpStatus), 'write')).toBe(write);
});

test.each([
  ['the item is not allowed to this country', 'not_shippable'],
  ['ITEM_ID_NOT_FOUND', 'not_found'],
  ['failed: DELIVERY_INFO_EMPTY.', 'not_shippable'],
  ['1001 reasons', 'permanent'],
  ['', 'permanent'],
] as const)(
  'a read may say why in its text only: "%s" is %s, and of a write it is doubt',
  (message, read) => {
    expect(failureClassOf(refusal(['404'], message), 'read')).toBe(read);
    expect(failureClassOf(refusal(['404'], message), 'write')).toBe('unknown_outcome');
  },
);

test.each([
  [ADDRESS, 'the address is not valid', 'address1'],
  [ADDRESS, '', 'address1'],
  [ADDRESS, 'mobile_no must be digits only', 'phone'],
  [ADDRESS, 'rut_no is required in CL', 'taxId'],
  [`${ADDRESS}_CPF_CN_INVALID`, 'check your address', 'taxId'],
  [`${ADDRESS}_CPF_NOT_MATCH`, '', 'taxId'],
  ['B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID', 'check your address', 'taxId'],
  ['INVENTORY_HOLD_ERROR', 'no phone is left', null],
] as const)('%s with "%s" refuses the receiver by %s', (code, message, field) => {
  expect(refusedFieldOf(refusal([code], message))).toBe(field);
});

test('a clock is refused by a code of its own, or by the name of its parameter', () => {
  expect(isTimeRefused(refusal(['IllegalTimestamp']))).toBe(true);
  const byName = refusal(['InvalidParameter'], 'The parameter timestamp is not valid');
  expect(isTimeRefused(byName)).toBe(true);
  expect(failureClassOf(byName, 'write')).toBe('auth');
  expect(isTimeRefused(refusal(['InvalidParameter'], 'The parameter city is not valid'))).toBe(false);
});

test('a fresh token is tried for what it can mend, another key is asked for where that is wrong', () => {
  const tokens = ['IllegalAccessToken', 'AccessTokenExpired', 'InvalidSession'];
  const keys = ['IncompleteSignature', 'InvalidSignature', 'InvalidAppKey'];
  for (const [code] of DOCUMENTED) {
    expect(isTokenRejected(refusal([code])), code).toBe(tokens.includes(code));
    expect(isKeyRejected(refusal([code])), code).toBe(keys.includes(code));
  }
});

test.each([
  [['isv.insufficient-permission', '15'], '', true],
  [['InsufficientPermission'], '', true],
  [['B_ORDER'], 'order does not exist', true],
  [['B_ORDER'], 'Order not found', true],
  [['B_ORDER'], 'no such order', true],
  [['B_ORDER'], 'system busy', false],
])('%j with "%s" says that there is no such order: %s', (codes, message, isAbsent) => {
  expect(saysNoSuchOrder(refusal(codes, message))).toBe(isAbsent);
});

test.each([
  ['App call limited, this ban will last 1 seconds', 1],
  ['This ban will last 14,229 seconds.', 14_229],
  ['The request was denied', null],
])('"%s" is a ban of %s seconds', (message, seconds) => {
  expect(banSecondsOf(refusal(['AppApiCallLimit'], message))).toBe(seconds);
});
