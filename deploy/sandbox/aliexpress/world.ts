import type { H3 } from 'h3';
import type { Faults } from '../faults.ts';
import type { Journal } from '../journal.ts';
import type { LiveSettings } from '../settings.ts';
import type { Shelf } from '../shelf.ts';
import { createConsentPage, createRestGateway } from './auth.ts';
import { addAliExpressControl } from './control.ts';
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

/** Adds `/sync`, `/rest`, `/oauth/authorize` and the platform's part of `/control`. */
export function addAliExpress(app: H3, world: AliExpressWorld): void {
  app.all('/sync', createSyncGateway(world));
  app.all('/rest/**', createRestGateway(world));
  app.get('/oauth/authorize', createConsentPage(world));
  addAliExpressControl(app, world);
}
