import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isLive, missingParts } from '../../contracts/configured-parts.ts';
import { messageOf } from '../../contracts/errors.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import { readSettings, type Settings } from '../../contracts/settings.ts';
import { purchaseMode, SUPPLIER_VARIABLES } from '../../contracts/supplier-variables.ts';
import { SUPPLIERS } from '../../contracts/vocabulary.ts';
import { hearStopSignals } from '../../services/stop-signals.ts';
import { feed, mapArticles } from './feed.ts';
import {
  DEFAULT_DATA_DIR,
  forgetRunningStack,
  noteRunningStack,
  type StackAddresses,
} from './running-stack.ts';
import { SANDBOX_CLIENT, SANDBOX_SHOP } from './sandbox-process.ts';
import { isSettled, showUntilSettled } from './show-orders.ts';
import { type Stack, startStack } from './stack.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const OWN_BODIES = join(PROJECT, 'deploy/sandbox/webhooks');

const HELP = `npm start                 the local stack, with a dozen orders fed to the sandbox shop
npm run start:empty       the same, nothing is fed
npm start -- --bodies DIR feeds the *.json bodies of your own folder instead
npm start -- --servers    starts PostgreSQL, NATS and the sandbox and no service, for npm run restored
npm start -- --data DIR   keeps database, streams and logs there (default .data/local)
`;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function readArguments() {
  const { values } = parseArgs({
    options: {
      empty: { type: 'boolean', default: false },
      servers: { type: 'boolean', default: false },
      bodies: { type: 'string' },
      data: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

/** What a live start has to know before its first order. */
function sayWhatIsOff(settings: Settings): void {
  say('Live: credentials are set, so no sandbox is started and nothing is fed.');
  for (const part of missingParts(settings)) say(`  ${part}`);
  for (const supplier of SUPPLIERS) {
    const mode = purchaseMode(settings, supplier);
    const variable = SUPPLIER_VARIABLES[supplier].mode;
    if (mode !== 'live') say(`  ${supplier} buys nothing: ${variable} is ${mode}; set it to live to buy`);
  }
}

/** What `npm run verify` and the like have to know to find this stack. */
const addressesOf = ({ connectionString, natsUrl, sandbox }: Stack): StackAddresses => ({
  addresses: { DB_CONNECTION_STRING: connectionString, NATS_URL: natsUrl },
  shop:
    sandbox === null
      ? {}
      : {
          SHOPIFY_SHOP_URL: SANDBOX_SHOP,
          SHOPIFY_API_KEY: SANDBOX_CLIENT,
          SHOPIFY_API_SECRET: sandbox.apiSecret,
          SHOPIFY_ADMIN_BASE_URL: sandbox.origin,
        },
});

function sayHowToTalk(stack: Stack, dataDir: string, isOwnNats: boolean): void {
  say('');
  say('The stack keeps running. Talk to it:');
  say(`  curl -H 'X-API-Key: ${stack.apiKey}' ${stack.url}/orders`);
  if (stack.sandbox !== null) {
    say(`  curl ${stack.sandbox.origin}/control/ledger    # what the sandbox bought, fulfilled and mailed`);
    say(`The mails so far, in a browser: ${stack.sandbox.origin}/mails`);
  }
  // The seeds themselves must not stand on a screen.
  if (isOwnNats)
    say(
      `For other agents: nats://${new URL(stack.natsUrl).host}, with the seed crew-reader or crew-writer of ${join(dataDir, 'nats.keys.json')}`,
    );
  say(`Logs: ${join(dataDir, 'logs')}. Ctrl-C stops everything.`);
}

async function feedAndShow(stack: Stack, folder: string, signal: AbortSignal): Promise<void> {
  await mapArticles(stack);
  const fed = await feed(stack, folder);
  for (const { file, status, answer } of fed)
    if (status !== 200) say(`${file} was refused: HTTP ${status} ${answer}`);
  const ids = new Set(
    fed.flatMap(({ shopOrderId, status }) =>
      shopOrderId === null || status !== 200 ? [] : [orderIdOf(SANDBOX_SHOP, shopOrderId)],
    ),
  );
  say(`fed ${fed.length} webhook bodies of ${folder.replace(PROJECT, '')}: ${ids.size} orders`);
  const { orders, firstDeliveredMs } = await showUntilSettled(
    stack,
    ({ id }) => ids.has(id),
    ids.size,
    process.stdout,
    signal,
  );
  const delivered = orders.filter(({ status }) => status === 'delivered').length;
  const held = orders.filter(({ held }) => held).length;
  if (!orders.every(isSettled)) return;
  const first =
    firstDeliveredMs === null ? '' : ` First delivered after ${(firstDeliveredMs / 1_000).toFixed(1)} s.`;
  say(`All ${orders.length} orders have ended: ${delivered} delivered, ${held} held with a reason.${first}`);
}

async function feedAndTalk(
  stack: Stack,
  dataDir: string,
  settings: Settings,
  { empty, bodies = OWN_BODIES }: { empty: boolean; bodies?: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  if (stack.sandbox !== null && !empty && !signal.aborted) await feedAndShow(stack, bodies, signal);
  if (!signal.aborted) sayHowToTalk(stack, dataDir, settings.NATS_URL === undefined);
}

async function main(): Promise<void> {
  const options = readArguments();
  if (options.help) return say(HELP);
  const settings = readSettings(process.env);
  const dataDir = options.data ?? DEFAULT_DATA_DIR;
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    const stop = (): void => {
      say('\nstopping');
      stopping.abort();
      resolve();
    };
    hearStopSignals(stop, () => process.exit(1));
  });

  const startedAt = performance.now();
  if (isLive(settings)) sayWhatIsOff(settings);
  const stack = await startStack({
    settings,
    environment: process.env,
    dataDir,
    log: say,
    ...(options.servers ? { scripts: {} } : {}),
  });
  say(`the stack is up after ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  noteRunningStack(dataDir, addressesOf(stack));
  try {
    if (options.servers)
      say('No service runs: nothing is bought, fulfilled or mailed. Ctrl-C stops everything.');
    else await feedAndTalk(stack, dataDir, settings, options, stopping.signal);
    await stopped;
  } finally {
    forgetRunningStack(dataDir);
    await stack.stop();
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`\n${messageOf(error)}\n`);
    process.exit(1);
  },
);
