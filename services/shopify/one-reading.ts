const last = new Map<string, Promise<unknown>>();

/**
 * Readings of one order one after the other, each told before the next one begins. The shop's clock has seconds: of two
 * readings within one, the one told last counts, and should be the one that was read last. Of this process alone: where
 * copies cross, the order asks for one reading more.
 * @param read reads and tells.
 */
export async function oneReading<T>(shopOrderId: string, read: () => Promise<T>): Promise<T> {
  const before = last.get(shopOrderId) ?? Promise.resolve();
  const reading = before.then(read, read);
  last.set(shopOrderId, reading);
  try {
    return await reading;
  } finally {
    if (last.get(shopOrderId) === reading) last.delete(shopOrderId);
  }
}
