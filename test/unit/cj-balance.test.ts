import { expect, test, vi } from 'vitest';
import { createBalance } from '../../services/suppliers/cj-dropshipping/payment.ts';

test('a balance that was never read covers nothing', () => {
  expect(createBalance().covers(1)).toBe(false);
});

test('what was read covers payments of a tenth of it, each of which counts as spent', () => {
  const balance = createBalance();
  balance.remember(1_100, 100);
  expect(balance.covers(100)).toBe(true);
  // 900 are left: less than ten times as much.
  expect(balance.covers(100)).toBe(false);
  expect(balance.covers(90)).toBe(true);
});

test('after half a minute it has to be read again', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const balance = createBalance();
    balance.remember(1_000_000, 0);
    expect(balance.covers(1)).toBe(true);
    vi.advanceTimersByTime(30_001);
    expect(balance.covers(1)).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});
