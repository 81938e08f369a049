import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DEADLINES } from '../../contracts/deadlines.ts';
import { readSettings } from '../../contracts/settings.ts';
import {
  ENDED_ORDERS,
  ENDED_PARCELS,
  ENDED_SUPPLIER_ORDERS,
  ORDER_STATES,
  PARCEL_STATES,
  SUPPLIER_ORDER_STATES,
} from '../../contracts/vocabulary.ts';
import { WAITING_KINDS, WAITS, waitsOf } from '../../contracts/waits.ts';
import { deadlinesPage } from '../../deploy/deadlines-page.ts';

test('the table of deadlines in the guide is as the code is', () => {
  const page = fileURLToPath(new URL('../../deploy/guide/deadlines.md', import.meta.url));
  expect(readFileSync(page, 'utf8'), 'npm run docs:deadlines makes it anew').toBe(deadlinesPage());
});

test('every state has its row, or is an end', () => {
  const rows = (kind: keyof typeof WAITS) => Object.keys(WAITS[kind]);
  expect([...rows('order'), ...ENDED_ORDERS].sort()).toEqual([...ORDER_STATES].sort());
  expect([...rows('supplier_order'), ...ENDED_SUPPLIER_ORDERS].sort()).toEqual(
    [...SUPPLIER_ORDER_STATES].sort(),
  );
  expect([...rows('parcel'), ...ENDED_PARCELS].sort()).toEqual([...PARCEL_STATES].sort());
});

test('every timer of the machines is waited for somewhere', () => {
  const timers = WAITING_KINDS.flatMap((kind) => waitsOf(kind).flatMap(([, wait]) => wait.timers));
  expect([...new Set(timers)].sort()).toEqual(Object.keys(DEADLINES).sort());
});

test('every wait has an end and says what to do', () => {
  for (const kind of WAITING_KINDS) {
    for (const [state, { withinMs, next }] of waitsOf(kind)) {
      const ms = withinMs(readSettings({}));
      expect(Number.isFinite(ms) && ms >= 0, `${kind} ${state}`).toBe(true);
      expect(next.length, `${kind} ${state}`).toBeGreaterThan(15);
    }
  }
});
