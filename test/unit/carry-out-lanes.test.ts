import { expect, test } from 'vitest';
import { BUY } from '../../contracts/commands/purchase.ts';
import { deadlineDelays } from '../../contracts/deadlines.ts';
import { readSettings } from '../../contracts/settings.ts';
import { carryOut } from '../../services/orders/carry-out.ts';
import { noWrites } from '../../services/store/batch-writes.ts';
import { ORDER_ID } from './builders.ts';

const NOW = '2026-11-26T12:00:00.000Z';

/** Where a command of suppliers about that id is said. */
function subjectOf(id: string): string | undefined {
  const settings = readSettings({});
  const writes = noWrites();
  carryOut({ kind: 'command', service: 'suppliers', verb: BUY, id, data: {} }, 0, {
    writes,
    orderId: ORDER_ID,
    cause: 'm1',
    version: 1,
    delays: deadlineDelays(settings),
    settings,
    now: NOW,
    orderCreatedAt: NOW,
    supplierOf: (supplierOrderId) => (supplierOrderId === 'sup_1' ? 'aliexpress' : undefined),
  });
  return writes.outbox[0]?.subject;
}

test('a hold that gives way to another of its name is one row, with what the other knows', () => {
  const settings = readSettings({});
  const writes = noWrites();
  for (const evidence of [{ cause: 'seen' }, { cause: 'said' }])
    carryOut({ kind: 'open_hold', holdId: 'hld_1', reason: 'operator', scope: {}, evidence }, 0, {
      writes,
      orderId: ORDER_ID,
      cause: 'm1',
      version: 1,
      delays: deadlineDelays(settings),
      settings,
      now: NOW,
      orderCreatedAt: NOW,
      supplierOf: () => undefined,
    });
  expect(writes.openedHolds).toMatchObject([{ id: 'hld_1', evidence: { cause: 'said' } }]);
});

test('what is asked for a purchase is said to its own supplier, anything else to all of them', () => {
  expect(subjectOf('sup_1')).toBe('oms.cmd.aliexpress.buy.sup_1');
  expect(subjectOf(ORDER_ID)).toBe(`oms.cmd.suppliers.buy.${ORDER_ID}`);
});
