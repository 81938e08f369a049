import type { LiveSettings } from '../settings.ts';
import { createTokenBucket } from '../token-bucket.ts';
import { AliExpressRefusal } from './refusal.ts';

export const banned = (seconds: number): AliExpressRefusal =>
  new AliExpressRefusal('AppApiCallLimit', `App call limited, this ban will last ${seconds} seconds`);

export interface CallLimit {
  /** The ban in force, null when the call may go on. Either way it has to leave when it is answered. */
  enter(): AliExpressRefusal | null;
  leave(): void;
}

/** How often, and how many at once, the app as a whole may call. Calls during a ban do not lengthen it. */
export function createCallLimit(settings: LiveSettings): CallLimit {
  const switches = () => settings.current().aliexpress;
  const bucket = createTokenBucket(() => {
    const { requestsPerSecond } = switches();
    return { perSecond: requestsPerSecond, capacity: requestsPerSecond };
  });
  let underWay = 0;
  let bannedUntil = 0;
  return {
    enter() {
      underWay += 1;
      const now = Date.now();
      const isParallel = underWay > 1 && !switches().isParallelAllowed;
      if (now >= bannedUntil && (isParallel || !bucket.take(1)))
        bannedUntil = now + switches().banSeconds * 1_000;
      return now < bannedUntil ? banned(Math.ceil((bannedUntil - now) / 1_000)) : null;
    },
    leave() {
      underWay -= 1;
    },
  };
}
