import { z } from 'zod';
import type { Journal } from './journal.ts';

const Milliseconds = z.int().nonnegative();

/** How the world passes: each step counts from the one before it, the first from the payment. */
export const Timing = z.strictObject({
  /** Payment until a tracking number exists. */
  processMs: Milliseconds,
  /** Tracking number until SHIPPED. */
  shipMs: Milliseconds,
  /** SHIPPED until tracking says in transit. */
  transitMs: Milliseconds,
  /** In transit until DELIVERED. */
  deliverMs: Milliseconds,
  /** How long the supplier's look-ups do not know a new order. */
  lookupBlindMs: Milliseconds,
});
export type Timing = z.infer<typeof Timing>;

const Switches = z.strictObject({
  /** A: a repeated order number is refused. B: it makes a second order. */
  dupMode: z.enum(['A', 'B']),
  /** Which ids getOrderDetail and its batch answer to: the documents promise the merchant's number only. */
  detailKeys: z.enum(['any', 'merchant', 'sd']),
  cjRequestsPerSecond: z.int().positive(),
  /** Life of newly issued CJ access tokens. */
  cjTokenTtlMs: z.int().positive(),
  /** Restore rate of Shopify's cost bucket; the bucket holds twenty seconds of it. */
  shopifyPointsPerSecond: z.int().positive(),
  /** What the shop lets the app do. */
  shopifyScopes: z.array(z.string()),
  /** How often each webhook is delivered. */
  webhookCopies: z.int().min(1).max(10),
  /** Share of the webhooks that never arrive. */
  webhookDropShare: z.number().min(0).max(1),
  /** Each delivery comes late by up to this, so that they overtake each other. */
  webhookMaxDelayMs: Milliseconds,
});

export const Settings = Switches.extend({ timing: Timing });
export type Settings = z.infer<typeof Settings>;

/** What `PUT /control/settings` accepts; `balance` is the supplier account's money in US cents. */
export const SettingsChange = Switches.partial().extend({
  timing: Timing.partial().optional(),
  lookupBlindMs: Milliseconds.optional(),
  balance: z.int().nonnegative().optional(),
});
export type SettingsChange = z.infer<typeof SettingsChange>;

const Overrides = Switches.partial().extend({ timing: Timing.partial() });

export interface LiveSettings {
  current(): Settings;
  change(change: SettingsChange): void;
}

/** Start values, overlaid by what was changed through the control port, in this run or an earlier one. */
export function createSettings(journal: Journal, start: Settings): LiveSettings {
  const kept = journal.collection('settings', Overrides);
  const merge = (): Settings => {
    const { timing, ...switches } = kept.get('live') ?? { timing: {} };
    return Settings.parse({ ...start, ...switches, timing: { ...start.timing, ...timing } });
  };
  let current = merge();
  return {
    current: () => current,
    change({ balance: _balance, lookupBlindMs, timing, ...switches }) {
      const before = kept.get('live') ?? { timing: {} };
      const blind = lookupBlindMs === undefined ? {} : { lookupBlindMs };
      kept.put('live', {
        ...before,
        ...switches,
        timing: { ...before.timing, ...timing, ...blind },
      });
      current = merge();
    },
  };
}
