import { expect, test } from 'vitest';
import {
  createRefusalClock,
  pointsOf,
  quotaReportOf,
} from '../../services/suppliers/cj-dropshipping/quota.ts';

const NOON = Date.parse('2027-01-05T12:00:00.000Z');
const FREE = '/shopping/order/list';
const signs = (changes: Partial<Parameters<typeof quotaReportOf>[0]> = {}) => ({
  path: '/product/query',
  httpStatus: 200,
  code: null,
  points: null,
  refusedForMs: 0,
  ...changes,
});
const points = (remaining: number | null, total: number | null = 50_000) => ({
  remaining,
  total,
  usedToday: null,
});

test('an answer that says nothing of limits is no news', () => {
  expect(quotaReportOf(signs(), NOON)).toBeNull();
  expect(quotaReportOf(signs({ code: 1600300 }), NOON)).toBeNull();
  expect(quotaReportOf(signs({ points: points(null, null) }), NOON)).toBeNull();
});

test('points that an answer shows are told without a pause', () => {
  expect(quotaReportOf(signs({ points: points(49_990) }), NOON)).toEqual({
    remaining: 49_990,
    total: 50_000,
  });
  expect(quotaReportOf(signs({ points: points(3, null) }), NOON)).toEqual({ remaining: 3 });
});

test.each([
  ['a rate limit in the body', { code: 1600200 }],
  ['HTTP 429 without points', { httpStatus: 429 }],
  ['HTTP 429 with points enough', { httpStatus: 429, code: 429, points: points(400) }],
  ['429 in the body', { code: 429 }],
])('%s is sat out in a second', (_, changes) => {
  expect(quotaReportOf(signs(changes), NOON)).toMatchObject({
    pausedUntil: '2027-01-05T12:00:01.000Z',
    isTooFast: true,
  });
});

test.each([
  ['a few seconds', 3_000, '12:00:01.000'],
  ['a minute', 60_000, '12:00:15.000'],
  ['half an hour', 30 * 60_000, '12:07:30.000'],
  ['a day', 86_400_000, '12:15:00.000'],
])('where no call got through for %s, the next one waits a quarter of it', (_, refusedForMs, time) => {
  const report = quotaReportOf(signs({ code: 1600200, refusedForMs }), NOON);
  expect(report).toMatchObject({ pausedUntil: `2027-01-05T${time}Z`, isTooFast: true });
});

test('a count that may begin anew with the hour is asked for again then', () => {
  const late = Date.parse('2027-01-05T23:55:00.000Z');
  const report = quotaReportOf(signs({ code: 1600200, refusedForMs: 86_400_000 }), late);
  expect(report?.pausedUntil).toBe('2027-01-06T00:00:00.000Z');
});

test('refusals in a row are timed from the first one, and whatever gets through ends the row', () => {
  const refusedFor = createRefusalClock();
  const refusal = signs({ code: 1600200 });
  expect(refusedFor(refusal, NOON)).toBe(0);
  expect(refusedFor(refusal, NOON + 40_000)).toBe(40_000);
  expect(refusedFor({ ...refusal, path: '/authentication/getAccessToken' }, NOON + 41_000)).toBe(0);
  expect(refusedFor({ ...refusal, code: 429 }, NOON + 60_000)).toBe(60_000);
  expect(refusedFor(signs({ code: 1600300 }), NOON + 61_000)).toBe(0);
  expect(refusedFor(refusal, NOON + 62_000)).toBe(0);
  expect(refusedFor(refusal, NOON + 7_200_000)).toBe(0);
});

test('a login that came too soon says nothing of the other calls', () => {
  const login = signs({ code: 1600200, path: '/authentication/getAccessToken' });
  expect(quotaReportOf(login, NOON)).toEqual({ pausedUntil: '2027-01-05T12:00:01.000Z' });
});

test.each([
  // 50,000 points in 1,440 minutes are 34.7 in a minute.
  ['ten points from nothing', { code: 16900500 }, '12:00:17.280'],
  ['fifty points from nothing', { code: 16900500, path: '/product/listV2' }, '12:01:26.400'],
  ['what is missing only', { httpStatus: 429, path: '/product/listV2', points: points(25) }, '12:00:43.200'],
  ['a larger budget sooner', { httpStatus: 429, code: 429, points: points(0, 500_000) }, '12:00:01.728'],
  ['a debt like nothing', { httpStatus: 429, points: points(-90) }, '12:00:17.280'],
])('used-up points pause what costs points until the refill brings %s', (_, changes, time) => {
  const report = quotaReportOf(signs(changes), NOON);
  expect(report).toMatchObject({ budgetPausedUntil: `2027-01-05T${time}Z` });
  expect(report).not.toHaveProperty('pausedUntil');
});

test('points wanted for what we take for free pause everything', () => {
  const report = quotaReportOf(signs({ code: 16900500, path: FREE }), NOON);
  expect(report).toEqual({ pausedUntil: '2027-01-05T12:00:01.728Z' });
});

test('the reset at midnight UTC ends a pause that the refill would make longer', () => {
  const late = Date.parse('2027-01-05T23:59:50.000Z');
  const report = quotaReportOf(signs({ code: 16900500, path: '/product/listV2' }), late);
  expect(report?.budgetPausedUntil).toBe('2027-01-06T00:00:00.000Z');
});

test('a quota that is used up is asked for again on the hour, midnight among them', () => {
  expect(quotaReportOf(signs({ code: 1600201 }), NOON + 1)?.pausedUntil).toBe('2027-01-05T13:00:00.000Z');
  const late = Date.parse('2027-01-05T23:10:00.000Z');
  expect(quotaReportOf(signs({ code: 1600201 }), late)?.pausedUntil).toBe('2027-01-06T00:00:00.000Z');
});

test.each([
  ['/product/listV2', 50],
  ['/product/list', 50],
  ['/product/query', 10],
  ['/product/variant/query', 10],
  ['/product/variant/queryByVid', 10],
  ['/product/stock/queryByVid', 10],
  ['/product/stock/queryBySku', 10],
  ['/product/stock/getInventoryByPid', 10],
  ['/logistic/freightCalculate', 10],
  ['/logistic/trackInfo', 0],
  ['/shopping/order/createOrderV2', 0],
  ['/shopping/pay/payBalance', 0],
  ['/authentication/getAccessToken', 0],
  ['/setting/get', 0],
])('a call of %s costs %i points', (path, cost) => {
  expect(pointsOf(path)).toBe(cost);
});
