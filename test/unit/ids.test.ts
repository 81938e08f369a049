import { expect, test } from 'vitest';
import {
  holdIdOf,
  notificationIdOf,
  orderIdOf,
  PARTITIONS,
  parcelIdOf,
  partitionOf,
  supplierOrderIdOf,
} from '../../contracts/ids.ts';
import { commandSubject, eventSubject, factSubject, partitionFilter } from '../../contracts/subjects.ts';

const SHOP = 'lantern-and-larch.myshopify.com';

/** Published vectors of FNV-1a 32, so that the server's own `partition()` agrees. */
const VECTORS: readonly [string, number][] = [
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['b', 0xe70c2de5],
  ['foobar', 0xbf9cf968],
];

test.each(VECTORS)('the partition of "%s" follows its FNV-1a hash', (text, hash) => {
  expect(partitionOf(text)).toBe(hash % PARTITIONS);
});

test('ids beyond ASCII are hashed as UTF-8 bytes', () => {
  let hash = 0x811c9dc5;
  for (const byte of [0xc3, 0xa9, 0xe2, 0x82, 0xac]) hash = Math.imul(hash ^ byte, 0x01000193);
  expect(partitionOf('é€')).toBe((hash >>> 0) % PARTITIONS);
});

test('orders spread over all partitions', () => {
  const counts = new Array<number>(PARTITIONS).fill(0);
  for (let number = 0; number < 6_400; number += 1) {
    const partition = partitionOf(orderIdOf(SHOP, String(5_550_000_000_000 + number)));
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(100);
  expect(Math.max(...counts)).toBeLessThan(300);
});

// Stored in databases and at suppliers: an id that changes means a second purchase of the same order.
test('ids never change', () => {
  const orderId = orderIdOf(SHOP, '5550001112223334445');
  expect(orderId).toBe('ord_2w237rjm1did1');
  expect(partitionOf(orderId)).toBe(20);
  expect(supplierOrderIdOf(orderId, 'cj_dropshipping', 'CN', 1)).toBe('sup_ord_2tx8r33v7t7h5');
  expect(parcelIdOf('sup_ord_1', 'LX123456789FR')).toBe('pcl_28b7spyaezyaw');
  expect(notificationIdOf(orderId, 'parcel_shipped', 'pcl_1')).toBe('ntf_2il4ebicxqaai');
  expect(holdIdOf(orderId, 'unmapped_line', '1')).toBe('hld_2pvupopq010cw');
});

test('an order id is a prefix and thirteen characters that need no escaping in a subject, a URL or a file', () => {
  for (let number = 0; number < 1_000; number += 1)
    expect(orderIdOf(SHOP, String(number))).toMatch(/^ord_[0-9a-z]{13}$/);
});

test('twenty thousand orders of two shops have as many ids', () => {
  const ids = new Set<string>();
  for (let number = 0; number < 10_000; number += 1) {
    ids.add(orderIdOf(SHOP, String(number)));
    ids.add(orderIdOf('other.myshopify.com', String(number)));
  }
  expect(ids.size).toBe(20_000);
});

test('ids beyond 2^53 that differ in the last digit differ', () => {
  expect(orderIdOf(SHOP, '9007199254740993')).not.toBe(orderIdOf(SHOP, '9007199254740992'));
});

test('where one part ends and the next begins makes a difference', () => {
  expect(orderIdOf('ab', 'c')).not.toBe(orderIdOf('a', 'bc'));
  expect(supplierOrderIdOf('o', 'aliexpress', 'CN', 11)).not.toBe(
    supplierOrderIdOf('o', 'aliexpress', 'CN1', 1),
  );
});

test('supplier, part and round each make another supplier order', () => {
  const ids = [
    supplierOrderIdOf('o', 'cj_dropshipping', 'CN', 1),
    supplierOrderIdOf('o', 'aliexpress', 'CN', 1),
    supplierOrderIdOf('o', 'cj_dropshipping', 'US', 1),
    supplierOrderIdOf('o', 'cj_dropshipping', 'CN', 2),
    supplierOrderIdOf('p', 'cj_dropshipping', 'CN', 1),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

test('a tracking number is the same parcel however it is written', () => {
  const parcelId = parcelIdOf('sup_ord_1', 'LX123456789FR');
  expect(parcelIdOf('sup_ord_1', ' lx 123 456 789 fr ')).toBe(parcelId);
  expect(parcelIdOf('sup_ord_2', 'LX123456789FR')).not.toBe(parcelId);
});

test('subjects name the partition, the type and the id', () => {
  const orderId = orderIdOf(SHOP, '1');
  const partition = partitionOf(orderId);
  expect(eventSubject('order.received', orderId)).toBe(`oms.evt.${partition}.order.received.${orderId}`);
  expect(eventSubject('order.received', orderId).startsWith(partitionFilter(partition).slice(0, -1))).toBe(
    true,
  );
  expect(commandSubject('suppliers', 'buy', 'sup_ord_1')).toBe('oms.cmd.suppliers.buy.sup_ord_1');
  expect(factSubject('order.shipped')).toBe('oms.pub.order.shipped');
});
