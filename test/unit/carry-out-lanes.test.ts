import { expect, test } from 'vitest';
import { BUY } from '../../contracts/commands/purchase.ts';
import { deadlineDelays } from '../../contracts/deadlines.ts';
import { readSettings } from '../../contracts/settings.ts';
import type { OutwardEffect } from '../../machines/order-actor.ts';
import { carryOut } from '../../services/orders/carry-out.ts';
import { type BatchWrites, noWrites } from '../../services/store/batch-writes.ts';
import { ORDER_ID } from './builders.ts';

const NOW = '2026-11-26T12:00:00.000Z';

/** What those effects, one after another, would have written. */
function written(...effects: readonly OutwardEffect[]): BatchWrites {
  const settings = readSettings({});
  const writes = noWrites();
  for (const [index, effect] of effects.entries())
    carryOut(effect, index, {
      writes,
      orderId: ORDER_ID,
      cause: 'm1',
      version: 1,
      delays: deadlineDelays(settings),
      settings,
      now: NOW,
      orderCreatedAt: NOW,
      hasShop: true,
      supplierOf: (supplierOrderId) => (supplierOrderId === 'sup_1' ? 'aliexpress' : undefined),
    });
  return writes;
}

/** Where a command of suppliers about that id is said. */
const subjectOf = (id: string): string | undefined =>
  written({ kind: 'command', service: 'suppliers', verb: BUY, id, data: {} }).outbox[0]?.subject;

test('a hold that gives way to another of its name is one row, with what the other knows', () => {
  const open = { kind: 'open_hold', holdId: 'hld_1', reason: 'operator', scope: {} } as const;
  const { openedHolds } = written(
    { ...open, evidence: { cause: 'seen' } },
    { ...open, evidence: { cause: 'said' } },
  );
  expect(openedHolds).toMatchObject([{ id: 'hld_1', evidence: { cause: 'said' } }]);
});

test('what is asked for a purchase is said to its own supplier, anything else to all of them', () => {
  expect(subjectOf('sup_1')).toBe('oms.cmd.aliexpress.buy.sup_1');
  expect(subjectOf(ORDER_ID)).toBe(`oms.cmd.suppliers.buy.${ORDER_ID}`);
});
