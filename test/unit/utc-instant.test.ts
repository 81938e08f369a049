import { afterAll, beforeAll, expect, test } from 'vitest';
import { utcInstant } from '../../deploy/utc-instant.ts';

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = 'America/New_York';
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

test.each([
  ['2026-11-27T08:00:00Z', '2026-11-27T08:00:00.000Z'],
  ['2026-11-27T08:00:00', '2026-11-27T08:00:00.000Z'],
  ['2026-11-27 08:00', '2026-11-27T08:00:00.000Z'],
  ['2026-11-27T08:00:00.250+01:00', '2026-11-27T07:00:00.250Z'],
  ['2026-10-01', '2026-10-01T00:00:00.000Z'],
  ['2028-02-29', '2028-02-29T00:00:00.000Z'],
])('%s is read as the moment that it names, in UTC unless it says otherwise', (text, iso) => {
  expect(utcInstant(text)?.toISOString()).toBe(iso);
});

test.each(['', 'yesterday', '2026', '1', '2026-02-30', '2026-13-01', '2026-11-27T25:00', '27.11.2026', '-1'])(
  '"%s" is no moment',
  (text) => {
    expect(utcInstant(text)).toBeNull();
  },
);
