import pino from 'pino';
import type { Settings } from '../contracts/settings.ts';

export type Logger = pino.Logger;

const LEVELS = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const;

/** One JSON object per line on standard output. What may hold secrets or persons is never passed in. */
export const createLogger = (settings: Pick<Settings, 'ORDER_MANAGER_LOG_LEVEL'>, service: string): Logger =>
  pino({
    level: LEVELS[settings.ORDER_MANAGER_LOG_LEVEL],
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    serializers: { err: describeError },
  });

/** Codes and our own words. The message of a foreign error may quote data, so only its name and code are kept. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const code = 'code' in error ? String(error.code) : undefined;
  const own = error.name === 'AppError' || error.name === 'SupplierError' || error.name === 'ShopError';
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    ...(own ? { message: error.message } : {}),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
    at: error.stack
      ?.split('\n')
      .slice(1, 4)
      .map((line) => line.trim().replace(/\(?file:\/\/.*\/(?=[^/]+$)/, '(')),
  };
}
