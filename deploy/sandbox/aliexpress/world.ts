import type { Dialect } from '../exchange.ts';
import type { Faults } from '../faults.ts';
import type { Journal } from '../journal.ts';
import type { LiveSettings } from '../settings.ts';
import type { Shelf } from '../shelf.ts';
import { createConsentPage, createRestGateway } from './auth.ts';
import { withItsDate } from './clock.ts';
import { type AliExpressOrders, createAliExpressOrders } from './orders.ts';
import { type AliExpressPushes, createAliExpressPushes } from './pushes.ts';
import type { AppCredentials } from './sign.ts';
import { createSyncGateway } from './sync.ts';
import { type AliExpressTokens, createAliExpressTokens } from './tokens.ts';

export interface AliExpressWorld {
  readonly credentials: AppCredentials;
  readonly orders: AliExpressOrders;
  readonly pushes: AliExpressPushes;
  readonly tokens: AliExpressTokens;
  readonly shelf: Shelf;
  readonly settings: LiveSettings;
  readonly faults: Faults;
}

/** The platform with what it remembers. `accessToken` opens without any consent. */
export function createAliExpress(
  journal: Journal,
  {
    settings,
    faults,
    shelf,
    credentials,
    accessToken,
  }: {
    settings: LiveSettings;
    faults: Faults;
    shelf: Shelf;
    credentials: AppCredentials;
    accessToken: string;
  },
): AliExpressWorld {
  const pushes = createAliExpressPushes(journal, settings, credentials);
  return {
    credentials,
    orders: createAliExpressOrders(journal, { settings, shelf, pushes }),
    pushes,
    tokens: createAliExpressTokens(journal, settings, accessToken),
    shelf,
    settings,
    faults,
  };
}

/** What the platform answers, by path. */
export const aliExpressDialects = (world: AliExpressWorld): Readonly<Record<string, Dialect>> => ({
  '/sync': withItsDate(createSyncGateway(world), world.settings),
  '/rest': withItsDate(createRestGateway(world), world.settings),
  '/oauth/authorize': createConsentPage(world),
});
