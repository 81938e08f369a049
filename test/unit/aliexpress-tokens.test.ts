import { expect, test } from 'vitest';
import { exchangeCode } from '../../services/suppliers/aliexpress/tokens.ts';
import { memoryTokens } from '../fixtures/memory-tokens.ts';

const DAY_MS = 86_400_000;

/** For how many days the pair of that answer is kept. */
async function daysOf(lives: object): Promise<[access: number, refresh: number]> {
  const answer = { access_token: 'a', refresh_token: 'r', ...lives };
  const pair = await exchangeCode(memoryTokens(), 'code', async () => answer);
  const daysUntil = (instant: string): number => Math.round((Date.parse(instant) - Date.now()) / DAY_MS);
  return [daysUntil(pair.accessExpiresAt), daysUntil(pair.refreshExpiresAt)];
}

const inDays = (days: number): number => Date.now() + days * DAY_MS;

test.each([
  ['instants', { expire_time: inDays(30), refresh_token_valid_time: inDays(60), expires_in: 5 }],
  ['instants in seconds', { expire_time: inDays(30) / 1_000, refresh_token_valid_time: `${inDays(60)}` }],
  ['lives', { expires_in: 30 * 86_400, refresh_expires_in: `${60 * 86_400}` }],
  [
    'lives, where the instants of a new token are over',
    { expire_time: 1, refresh_token_valid_time: 1, expires_in: 30 * 86_400, refresh_expires_in: 60 * 86_400 },
  ],
])('the ends of a token pair are read from its %s', async (_, lives) => {
  expect(await daysOf(lives)).toEqual([30, 60]);
});

test('an end of the refresh token that nobody names is that of the access token', async () => {
  expect(await daysOf({ expires_in: 86_400 })).toEqual([1, 1]);
});
