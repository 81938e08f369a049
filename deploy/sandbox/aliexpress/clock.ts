import type { Dialect } from '../exchange.ts';
import type { LiveSettings } from '../settings.ts';

/** The platform's own hour, in milliseconds. */
export const hourOf = (settings: LiveSettings): number =>
  Date.now() + settings.current().aliexpress.clockAheadMs;

/** Its answers are dated by its own clock. */
export const withItsDate =
  (dialect: Dialect, settings: LiveSettings): Dialect =>
  async (call) => {
    const answer = await dialect(call);
    return { ...answer, headers: { ...answer.headers, date: new Date(hourOf(settings)).toUTCString() } };
  };
