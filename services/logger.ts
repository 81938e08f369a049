import pino, { type DestinationStream } from 'pino';
import { AppError } from '../contracts/errors.ts';
import type { Settings } from '../contracts/settings.ts';
import { meaningOf } from './store/refusals.ts';
import { workFields } from './work.ts';

export type Logger = pino.Logger;

const LEVELS = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const;

/** One file a day, more of them on a busy one; what is older than the last fourteen files goes. */
const ROTATION = {
  frequency: 'daily',
  dateFormat: 'yyyy-MM-dd',
  size: '50m',
  limit: { count: 14, removeOtherLogFiles: true },
  mkdir: true,
} as const;

/** What waits while it cannot be written, in bytes: of what is more the newest is lost. */
const MOST_WAITING = { output: 64_000_000, files: 16_000_000 };
/** Between two words about files that cannot be written. */
const SAY_AGAIN_MS = 60_000;

/**
 * One JSON object per line, with the order, message and request that it is about. What may hold secrets or persons is
 * never passed in.
 */
const createLogger = (
  settings: Pick<Settings, 'ORDER_MANAGER_LOG_LEVEL'>,
  service: string,
  destination: DestinationStream,
): Logger =>
  pino(
    {
      level: LEVELS[settings.ORDER_MANAGER_LOG_LEVEL],
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { err: describeError },
      mixin: workFields,
    },
    destination,
  );

/** Packages that few processes need are read by those only. */
async function toStandardOutput(): Promise<DestinationStream> {
  if (!process.stdout.isTTY) {
    // A full disk behind it is no reason to end: the package throws what nobody hears.
    const options = { dest: 1, minLength: 0, maxLength: MOST_WAITING.output, sync: false };
    return pino.destination(options).on('error', () => {});
  }
  const { default: pretty } = await import('pino-pretty');
  return pretty({ colorize: true, sync: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'service' });
}

/**
 * The logger of a process: JSON on a pipe, lines for people on a terminal, and files in ORDER_MANAGER_LOG_DIR if it is
 * set, as `<service>.<day>.<number>.log`. A disk that is full later stops nothing: lines wait, and are lost when they are too
 * many.
 * @throws AppError `settings_invalid` when nothing can be written there.
 */
export async function openLogger(
  settings: Pick<Settings, 'ORDER_MANAGER_LOG_LEVEL' | 'ORDER_MANAGER_LOG_DIR'>,
  service: string,
): Promise<Logger> {
  const { ORDER_MANAGER_LOG_DIR: folder } = settings;
  const output = await toStandardOutput();
  if (folder === undefined) return createLogger(settings, service, output);
  const { default: roll } = await import('pino-roll');
  const file = await roll({
    ...ROTATION,
    file: `${folder}/${service}`,
    sync: true,
    maxLength: MOST_WAITING.files,
  }).catch((cause: unknown) => {
    const message = 'cannot start: ORDER_MANAGER_LOG_DIR: no file can be written there';
    throw new AppError('settings_invalid', message, { retryable: false, cause });
  });
  const level = LEVELS[settings.ORDER_MANAGER_LOG_LEVEL];
  const log = createLogger(
    settings,
    service,
    pino.multistream([
      { level, stream: output },
      { level, stream: file },
    ]),
  );
  let saidAt = Number.NEGATIVE_INFINITY;
  file.on('error', (err) => {
    // The word about it goes to the files as well.
    if (performance.now() - saidAt < SAY_AGAIN_MS) return;
    saidAt = performance.now();
    log.error({ err }, 'nothing can be written to ORDER_MANAGER_LOG_DIR: is its disk full?');
  });
  return log;
}

/** Codes and our own words. The message of a foreign error may quote data, so only its name and code are kept. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const code = 'code' in error ? String(error.code) : undefined;
  const means = meaningOf(error);
  const own = error.name === 'AppError' || error.name === 'SupplierError' || error.name === 'ShopError';
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    ...(means === undefined ? {} : { means }),
    ...(own ? { message: error.message } : {}),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
    at: error.stack
      ?.split('\n')
      .slice(1, 4)
      .map((line) => line.trim().replace(/\(?file:\/\/.*\/(?=[^/]+$)/, '(')),
  };
}
