import { z } from 'zod';
import { AliExpressSwitches } from './aliexpress/switches.ts';
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
  /** A creation answers without status, total and shipment id, as was seen; or with all that is documented. */
  createNulls: z.boolean(),
  /** Orders to addresses in other than Latin letters are stopped for a look. */
  intercept: z.boolean(),
  /** Logins that come sooner after the last one are refused; 0 lets all through. */
  cjLoginEveryMs: Milliseconds,
  /** What a payment without enough money is refused with. */
  lowBalanceCode: z.union([z.literal(1604000), z.literal(1600100), z.literal(1603001)]),
  /** Paid orders of several pieces become two parts; look-ups then show the whole order no more, or still. */
  split: z.enum(['off', 'hidden', 'shown']),
  cjRequestsPerSecond: z.int().positive(),
  /** CJ's points; 0 is no budget. */
  cjPointsPerDay: z.int().nonnegative(),
  /** How a call without points is refused: HTTP 429, or 16900500 in the body. */
  cjPointsRefusal: z.enum(['http', 'body']),
  /** Addresses that CJ's pushes may be registered for: as in truth only public ones with https, or any. */
  cjPushUrls: z.enum(['public', 'any']),
  cjPushDelayMs: Milliseconds,
  /** Between two of four tries. */
  cjPushRetryMs: Milliseconds,
  /** Each push comes twice. */
  cjPushDoubled: z.boolean(),
  /** Each push waits until the next one has gone. */
  cjPushOutOfOrder: z.boolean(),
  cjPushDropped: z.boolean(),
  /** Life of newly issued CJ access tokens. */
  cjTokenTtlMs: z.int().positive(),
  /** Restore rate of Shopify's cost bucket; the bucket holds twenty seconds of it. */
  shopifyPointsPerSecond: z.int().positive(),
  /** What the shop lets the app do. */
  shopifyScopes: z.array(z.string()),
  /** How many orders one search pages through; the shop says nothing of those behind. */
  shopifySearchRows: z.int().positive(),
  /** How often each webhook is delivered. */
  webhookCopies: z.int().min(1).max(10),
  /** Share of the webhooks that never arrive. */
  webhookDropShare: z.number().min(0).max(1),
  /** Each delivery comes late by up to this, so that they overtake each other. */
  webhookMaxDelayMs: Milliseconds,
});

export const Settings = Switches.extend({ timing: Timing, aliexpress: AliExpressSwitches });
export type Settings = z.infer<typeof Settings>;

/** What `PUT /control/settings` accepts; `balance` is the supplier account's money in US cents. */
export const SettingsChange = Switches.partial().extend({
  timing: Timing.partial().optional(),
  aliexpress: AliExpressSwitches.partial().optional(),
  lookupBlindMs: Milliseconds.optional(),
  balance: z.int().nonnegative().optional(),
});
export type SettingsChange = z.infer<typeof SettingsChange>;

const Overrides = Switches.partial().extend({
  timing: Timing.partial(),
  aliexpress: AliExpressSwitches.partial().default({}),
});

const UNCHANGED = { timing: {}, aliexpress: {} };

export interface LiveSettings {
  current(): Settings;
  change(change: SettingsChange): void;
}

/** Start values, overlaid by what was changed through the control port, in this run or an earlier one. */
export function createSettings(journal: Journal, start: Settings): LiveSettings {
  const kept = journal.collection('settings', Overrides);
  const merge = (): Settings => {
    const { timing, aliexpress, ...switches } = kept.get('live') ?? UNCHANGED;
    return Settings.parse({
      ...start,
      ...switches,
      timing: { ...start.timing, ...timing },
      aliexpress: { ...start.aliexpress, ...aliexpress },
    });
  };
  let current = merge();
  return {
    current: () => current,
    change({ balance: _balance, lookupBlindMs, timing, aliexpress, ...switches }) {
      const before = kept.get('live') ?? UNCHANGED;
      const blind = lookupBlindMs === undefined ? {} : { lookupBlindMs };
      kept.put('live', {
        ...before,
        ...switches,
        timing: { ...before.timing, ...timing, ...blind },
        aliexpress: { ...before.aliexpress, ...aliexpress },
      });
      current = merge();
    },
  };
}
