import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import type { Article, Recipient } from '../../services/suppliers/adapter.ts';
import { control, givenFaults, givenWorld, ledgerOf } from '../sandbox/world.ts';
import type { Bench, Deed, Misfortune, Pace } from './bench.ts';

export const NOBODY: Recipient = {
  name: 'Robin Probe',
  company: '',
  address1: '12 Test Lane',
  address2: '',
  city: 'Portland',
  province: 'Oregon',
  zip: '97201',
  countryCode: 'US',
  phone: '+15035550100',
  email: 'robin@probe.example',
  taxId: '',
};

const NEVER_MS = 600_000;
const still = { processMs: NEVER_MS, shipMs: NEVER_MS, transitMs: NEVER_MS, deliverMs: NEVER_MS };
/** The sandbox's timing for each pace. */
const paces: Readonly<Record<Pace, object>> = {
  processing: still,
  shipped: { ...still, processMs: 0, shipMs: 0, transitMs: 0 },
  delivered: { processMs: 0, shipMs: 0, transitMs: 0, deliverMs: 0 },
};

/** What all suppliers of our own sandbox have in common. `operations` are the sandbox's names of the deeds. */
export async function aSandboxBench(operations: Readonly<Record<Deed, string>>): Promise<
  Pick<Bench, 'book' | 'spoil' | 'change'> & {
    readonly world: Sandbox;
    readonly paces: typeof paces;
    readonly turn: (settings: object) => Promise<void>;
    readonly send: (method: string, path: string, body?: unknown) => Promise<void>;
  }
> {
  const world = await givenWorld({ timing: { ...still, lookupBlindMs: 0 } });
  const send = async (method: string, path: string, body?: unknown): Promise<void> => {
    const answer = await control(world, method, path, body);
    if (!answer.ok)
      throw new Error(`${method} /control${path}: HTTP ${answer.status} ${await answer.text()}`);
  };
  return {
    world,
    paces,
    send,
    turn: (settings) => send('PUT', '/settings', settings),
    change: ({ supplierVariantId }: Article, change) => send('PUT', `/articles/${supplierVariantId}`, change),
    spoil: (deed: Deed, kind: Misfortune) =>
      givenFaults(world, { operation: operations[deed], kind, times: 1 }),
    async book(callerRef) {
      const { purchases } = await ledgerOf(world);
      const orders = purchases.find(({ orderNumber }) => orderNumber === callerRef)?.orders ?? [];
      return orders.map(({ status, paidCount }) => ({ isCancelled: status === 'CANCELLED', paidCount }));
    },
  };
}
