import type { z } from 'zod';
import { OrderList, type OrderSummary } from '../../contracts/resources/order.ts';
import { hasEnded } from '../../contracts/vocabulary.ts';
import type { Stack } from './stack.ts';

const POLL_MS = 250;

/** Ended, or waiting for a person; `payment_pending` and the like say which. */
export const isSettled = ({ status, held }: OrderSummary): boolean => hasEnded(status) || held;

/** Every order, newest first. @throws Error when the gateway does not answer. */
export async function readOrders(stack: Pick<Stack, 'url' | 'apiKey'>): Promise<OrderSummary[]> {
  const orders: OrderSummary[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const response = await fetch(`${stack.url}/orders?limit=200${query}`, {
      headers: { 'x-api-key': stack.apiKey },
    });
    if (!response.ok) throw new Error(`GET /orders answered ${response.status}`);
    const page: z.infer<typeof OrderList> = OrderList.parse(await response.json());
    orders.push(...page.items);
    cursor = page.nextCursor;
  }
  return orders;
}

const describe = ({ status, holdReasons }: OrderSummary): string =>
  holdReasons.length === 0 ? status : `${status}, held: ${holdReasons.join(', ')}`;

export interface Shown {
  readonly orders: readonly OrderSummary[];
  /** Milliseconds from the start of watching to the first delivered order; null when none came. */
  readonly firstDeliveredMs: number | null;
}

/**
 * Follows the fed orders until each has ended or is held, and shows how they move: a table that is drawn again on a
 * terminal, a line per change elsewhere.
 * @param isFed says which of all orders to follow; @param expected how many of them there are.
 */
export async function showUntilSettled(
  stack: Pick<Stack, 'url' | 'apiKey'>,
  isFed: (order: OrderSummary) => boolean,
  expected: number,
  output: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<Shown> {
  const startedAt = performance.now();
  const before = new Map<string, string>();
  let firstDeliveredMs: number | null = null;
  let drawn = 0;
  const seconds = (): string => `${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5)} s`;
  for (;;) {
    const orders = (await readOrders(stack)).filter(isFed).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const order of orders) {
      const now = describe(order);
      if (before.get(order.id) === now) continue;
      // Orders without goods are delivered as soon as they are seen; they do not count.
      if (order.status === 'delivered' && before.has(order.id))
        firstDeliveredMs ??= performance.now() - startedAt;
      before.set(order.id, now);
      if (!output.isTTY) output.write(`${seconds()}  ${order.name.padEnd(8)} ${order.id}  ${now}\n`);
    }
    if (output.isTTY) {
      if (drawn > 0) output.write(`\u001b[${drawn}A\u001b[0J`);
      const width = output.columns || 80;
      const rows = orders.map((order) => `${order.name.padEnd(8)} ${order.id.padEnd(18)} ${describe(order)}`);
      const lines = [
        `${seconds()}  ${orders.filter(isSettled).length} of ${expected} orders have ended or are held`,
        ...rows,
      ];
      output.write(lines.map((line) => `${line.slice(0, width - 1)}\n`).join(''));
      drawn = lines.length;
    }
    if (orders.length >= expected && orders.every(isSettled)) return { orders, firstDeliveredMs };
    if (signal.aborted) return { orders, firstDeliveredMs };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
