import { AsyncLocalStorage } from 'node:async_hooks';

/** By `Date.now()`: a process that stood still finds the hour late before its timers tell it. */
const lastMoment = new AsyncLocalStorage<number>();

/** Within `work` no request leaves after that moment: whoever was so late may have been taken for dead. */
export const sendingUntil = <T>(moment: number, work: () => Promise<T>): Promise<T> =>
  lastMoment.run(Math.min(moment, lastMoment.getStore() ?? moment), work);

/** Whether the moment is over for the work that asks. */
export const isTooLateToSend = (): boolean =>
  Date.now() > (lastMoment.getStore() ?? Number.POSITIVE_INFINITY);
