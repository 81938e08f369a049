import type { Evidence } from './vocabulary.ts';

/** Number of partitions of the event log. Part of the contract: changing it moves orders between partitions. */
export const PARTITIONS = 32;

/** FNV-1a 32 bit over UTF-8: the function behind the NATS server's `partition()` mapping, so both agree. */
export function partitionOf(orderId: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(orderId)) {
    hash ^= byte;
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % PARTITIONS;
}

const FNV64_OFFSET = 0xcbf29ce484222325n;
const FNV64_PRIME = 0x100000001b3n;

/**
 * 64 bits as 13 base-36 characters. Wide enough for tens of millions of orders; a collision cannot merge two orders
 * in silence, because the stored shop order id is compared on every write.
 */
function shortHash(parts: readonly string[]): string {
  let hash = FNV64_OFFSET;
  for (const byte of new TextEncoder().encode(parts.join('\u0000'))) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV64_PRIME);
  }
  return hash.toString(36).padStart(13, '0');
}

/** @param shop myshopify domain; @param shopOrderId the shop's numeric order id as text. */
export const orderIdOf = (shop: string, shopOrderId: string): string =>
  `ord_${shortHash([shop, shopOrderId])}`;

/** What an envelope is about, if that is an order; some hints of the shop are about something that only it knows. */
export const orderIdIn = (subject: string): string | undefined =>
  subject.startsWith('ord_') ? subject : undefined;

/** `part` tells apart several purchases from one supplier in one round of sourcing (warehouse, seller). */
export const supplierOrderIdOf = (orderId: string, supplier: string, part: string, round: number): string =>
  `sup_ord_${shortHash([orderId, supplier, part, String(round)])}`;

/** Two spellings of one tracking number have the same key. */
export const trackingKeyOf = (trackingNumber: string): string =>
  trackingNumber.replaceAll(/\s/g, '').toUpperCase();

/**
 * Tells another address from the same one, as well as 1,296 marks can, and says nothing of either: as many addresses have
 * each mark. That one of so many changes goes unseen leaves the order with the person who was asked about it.
 */
export const shipToMarkOf = (orderId: string, address: readonly string[]): string => {
  const parts = address.map((part) => part.toLowerCase().replaceAll(/\s+/g, ' ').trim());
  return shortHash([orderId, ...parts]).slice(-2);
};

/** A parcel is known by its first tracking number; later numbers replace it without changing the id. */
export const parcelIdOf = (supplierOrderId: string, trackingNumber: string): string =>
  `pcl_${shortHash([supplierOrderId, trackingKeyOf(trackingNumber)])}`;

/** One fact is told once: same order, kind and subject give the same id. */
export const notificationIdOf = (orderId: string, kind: string, subject: string): string =>
  `ntf_${shortHash([orderId, kind, subject])}`;

/** The same reason with the same facts, in whatever order they stand, is the same attention. */
export const attentionIdOf = ({ reason, evidence }: { reason: string; evidence: Evidence }): string =>
  `att_${shortHash([
    reason,
    ...Object.entries(evidence)
      .map(([name, fact]) => JSON.stringify([name, fact]))
      .sort(),
  ])}`;

/** `scope` is what the hold hangs on: a line, a supplier order, or empty for the whole order. */
export const holdIdOf = (orderId: string, reason: string, scope: string): string =>
  `hld_${shortHash([orderId, reason, scope])}`;
