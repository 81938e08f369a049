import { type ParseArgsConfig, parseArgs } from 'node:util';
import { isLive } from '../../contracts/configured-parts.ts';
import { AppError, messageOf } from '../../contracts/errors.ts';
import { readSettings, type Settings } from '../../contracts/settings.ts';
import { openContext, type ServiceContext } from '../../services/run-service.ts';
import { openStore, type Store } from '../../services/store/store.ts';
import { DEFAULT_DATA_DIR, findRunningStack, type StackAddresses } from './running-stack.ts';

/** Among the options of each command: which local stack is meant. */
export const DATA_OPTION = { data: { type: 'string', default: DEFAULT_DATA_DIR } } as const;
/** For its help. */
export const DATA_HELP = `Without DB_CONNECTION_STRING it works on the local stack that runs; --data DIR says in which folder, if not .data/local.
`;

/**
 * The environment, checked; what it lacks of the addresses that are needed is those of the local stack.
 * @throws AppError `settings_invalid` in one sentence when nobody knows them.
 */
function readCommandSettings(needs: readonly (keyof StackAddresses['addresses'])[], data: string): Settings {
  const set = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value?.trim()));
  const settings = readSettings(set);
  const missing = needs.filter((name) => settings[name] === undefined);
  if (missing.length === 0) return settings;

  const refuse = (why: string): never => {
    const what = missing.map((name) => `${name} is not set`).join(', ');
    throw new AppError('settings_invalid', `${what}: ${why}`, { retryable: false });
  };
  const stack = findRunningStack(data);
  if (stack === null)
    return refuse(`no local stack runs on ${data}; npm start starts one, --data DIR names another folder`);
  // The database of one house and the NATS of another would be mended until they fit.
  const other = needs.find(
    (name) => settings[name] !== undefined && settings[name] !== stack.addresses[name],
  );
  if (other !== undefined) return refuse(`${other} is not that of the local stack (npm start) on ${data}`);
  process.stderr.write(`on the local stack in ${data}\n`);
  return readSettings({ ...(isLive(settings) ? {} : stack.shop), ...set, ...stack.addresses });
}

/** Whoever runs a command is no reader of stack traces. */
function stop(error: unknown, exitCode: number): never {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(exitCode);
}

/** The options of a command. Where one is none of its own the process ends with one sentence. */
export function readOptions<T extends ParseArgsConfig>(
  config: T,
  exitCode = 1,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    return stop(error, exitCode);
  }
}

interface CommandOptions {
  /** As DATA_OPTION gives it. */
  readonly data: string;
  readonly name: string;
  readonly maxConnections: number;
}

// Commands read whole tables, and whoever started one can end it: none of them is ended by the time that it takes.

/** Settings, database and NATS for a command. Where they cannot be had the process ends with one sentence. */
export async function openForCommand(options: CommandOptions): Promise<ServiceContext> {
  const { data, name, maxConnections } = options;
  try {
    const settings = readCommandSettings(['DB_CONNECTION_STRING', 'NATS_URL'], data);
    return await openContext(settings, name, maxConnections, true);
  } catch (error) {
    return stop(error, 1);
  }
}

/** The database for a command. Where it cannot be had the process ends with one sentence. */
export async function openStoreForCommand(options: CommandOptions, exitCode = 1): Promise<Store> {
  const { data, ...pool } = options;
  try {
    const settings = readCommandSettings(['DB_CONNECTION_STRING'], data);
    const connectionString = settings.DB_CONNECTION_STRING ?? '';
    return await openStore({ connectionString, isPatient: true, ...pool });
  } catch (error) {
    return stop(error, exitCode);
  }
}
