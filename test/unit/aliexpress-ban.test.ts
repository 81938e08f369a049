import { expect, test } from 'vitest';
import { createBanClock } from '../../services/suppliers/aliexpress/ban.ts';

const HOUR_MS = 3_600_000;
const refusal = (code: string, message = '') => ({ httpStatus: 200, codes: [code], message });
const NAMELESS = refusal('ApiCallLimit');

test('a ban that says how long it lasts is believed', () => {
  const bannedFor = createBanClock();
  const named = refusal('AppApiCallLimit', 'this ban will last 14,229 seconds');
  expect(bannedFor(named, 0)).toBe(14_229_000);
  expect(bannedFor(named, HOUR_MS)).toBe(14_229_000);
});

test('a ban without an end is asked after more and more rarely, and soon again once a call got through', () => {
  const bannedFor = createBanClock();
  expect(bannedFor(NAMELESS, 0)).toBe(1_000);
  expect(bannedFor(NAMELESS, 60_000)).toBe(15_000);
  expect(bannedFor(NAMELESS, 10 * HOUR_MS)).toBe(15 * 60_000);
  expect(bannedFor(null, 10 * HOUR_MS)).toBe(0);
  expect(bannedFor(NAMELESS, 11 * HOUR_MS)).toBe(1_000);
});

test('what is refused for another reason is no ban', () => {
  const bannedFor = createBanClock();
  expect(bannedFor(refusal('ITEM_ID_NOT_FOUND'), 0)).toBe(0);
  expect(bannedFor(refusal('ServiceTimeout'), 0)).toBe(0);
});
