import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { AppError, messageOf } from '../contracts/errors.ts';
import { readSettings, type Settings } from '../contracts/settings.ts';
import { MIGRATIONS_WAIT, migrate } from '../services/store/migrate.ts';
import { openStore, type Store } from '../services/store/store.ts';
import { createQuotaReporter, createTokenStore } from '../services/suppliers/account.ts';
import { codeIn, connect, consentUrl } from '../services/suppliers/aliexpress/consent.ts';
import { aloneAt } from '../services/suppliers/aliexpress/turns.ts';
import { createCallLimiter } from '../services/suppliers/call-limiter.ts';
import { createCallTurns } from '../services/suppliers/call-turns.ts';
import { SupplierError } from '../services/suppliers/supplier-error.ts';
import { freePort } from './local/free-port.ts';
import { DATA_OPTION } from './local/open-for-command.ts';
import { startPostgres } from './local/postgres.ts';
import { findRunningStack } from './local/running-stack.ts';

const HELP = `npm run aliexpress:connect                     asks for what it needs
npm run aliexpress:connect -- ADDRESS          takes the address that the consent page led to, or the code in it
npm run aliexpress:connect -- --redirect-uri U the callback URL, exactly as the app has it in AliExpress's App Console
npm run aliexpress:connect -- --data DIR       where the local stack keeps its data (default .data/local), whether it
                                               runs or not; used only without DB_CONNECTION_STRING
`;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const refuse = (problem: string): never => {
  throw new AppError('settings_invalid', problem, { retryable: false });
};

/** Asks on the terminal, or takes the next line of what is piped in. */
function createQuestions() {
  const terminal = createInterface({ input: process.stdin });
  const lines = terminal[Symbol.asyncIterator]();
  const ask = async (question: string): Promise<string> => {
    say(question);
    const { value, done } = await lines.next();
    return done === true ? refuse('nothing was answered') : value.trim();
  };
  return { ask, close: () => terminal.close() };
}

/** Walks through the consent page unless its answer was given already. */
async function askForCode(
  app: { baseUrl: string; appKey: string },
  redirectUri: string | undefined,
): Promise<string> {
  const { ask, close } = createQuestions();
  try {
    const callback =
      redirectUri ?? (await ask('Callback URL of the app, exactly as in AliExpress’s App Console:'));
    if (!URL.canParse(callback))
      refuse('the callback URL must be a whole address, like https://shop.example/');
    const state = randomBytes(12).toString('base64url');
    say('Open this page, log in as the buyer account and agree:');
    say(`\n  ${consentUrl(app, callback, state)}\n`);
    const pasted = await ask('It leads to your callback URL. Paste that address within three minutes:');
    return codeIn(pasted, state);
  } finally {
    close();
  }
}

/** The services' database, or that of the local stack, which is started while that stack is stopped. */
async function withDatabase(settings: Settings, dataDir: string, use: (store: Store) => Promise<void>) {
  const logDir = join(dataDir, 'logs');
  const known = settings.DB_CONNECTION_STRING ?? findRunningStack(dataDir)?.addresses.DB_CONNECTION_STRING;
  if (known === undefined) await mkdir(logDir, { recursive: true });
  const own =
    known === undefined
      ? await startPostgres({
          dataDir: join(dataDir, 'postgres'),
          port: await freePort(),
          logFile: join(logDir, 'postgres.log'),
          database: 'orderdb',
          log: say,
        })
      : null;
  try {
    const connectionString = own?.connectionString ?? known ?? '';
    const name = 'aliexpress-connect';
    const store = await openStore({ connectionString, maxConnections: 3, name, isPatient: true });
    try {
      await migrate(store, { onWait: () => process.stderr.write(MIGRATIONS_WAIT) });
      await use(store);
    } finally {
      await store.close();
    }
  } finally {
    await own?.stop();
  }
}

const CALL_TIMEOUT_MS = 60_000;

/** Lets AliExpress's owner agree once, and keeps the token pair that the services call with and refresh. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'redirect-uri': { type: 'string' },
      ...DATA_OPTION,
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return say(HELP);
  const settings = readSettings(process.env);
  const { ALIEXPRESS_API_KEY: appKey, ALIEXPRESS_SECRET: appSecret, ALIEXPRESS_BASE_URL: baseUrl } = settings;
  if (appKey === undefined || appSecret === undefined)
    return refuse('set ALIEXPRESS_API_KEY and ALIEXPRESS_SECRET first');
  if (settings.ALIEXPRESS_ACCESS_TOKEN !== undefined)
    say('ALIEXPRESS_ACCESS_TOKEN is set: as long as it is, it is used instead of what this command brings.');

  const [pasted] = positionals;
  const code =
    pasted === undefined
      ? await askForCode({ baseUrl, appKey }, values['redirect-uri'])
      : codeIn(pasted, null);
  await withDatabase(settings, resolve(values.data), async (store) => {
    const options = {
      baseUrl,
      appKey,
      appSecret,
      tokens: createTokenStore(store, 'aliexpress'),
      reserve: await createCallLimiter(store, 'aliexpress', settings.ALIEXPRESS_REQUESTS_PER_SECOND),
      takeTurn: aloneAt(
        settings.ALIEXPRESS_REQUESTS_PER_SECOND,
        createCallTurns(store, 'aliexpress', CALL_TIMEOUT_MS),
      ),
      report: createQuotaReporter(store, 'aliexpress'),
    };
    const token = await connect(options, code, AbortSignal.timeout(CALL_TIMEOUT_MS));
    say(
      `AliExpress is connected. The token is valid until ${token.accessExpiresAt} and is refreshed by itself`,
    );
    say(`until ${token.refreshExpiresAt}: run this command again before then.`);
  });
}

/** What went wrong, and where AliExpress refused, its own words and the way on. */
function wordsOf(error: unknown): string {
  if (!(error instanceof SupplierError)) return messageOf(error);
  const { message, mend } = error.evidence;
  return [error.message, message, mend].filter((words) => words).join('; ');
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${wordsOf(error)}\n`);
  process.exitCode = 1;
}
