import { SupplierError } from './supplier-error.ts';

/** From the first part on, which is as old as what is asked for then may be when it is bought. */
const KEPT_MS = 600_000;
const MOST = 500;

interface Begun<Part> {
  readonly parts: Map<string, Part>;
  readonly until: number;
}

/**
 * Does work of many calls, where one patience does not last for all of them: asked for the same again, it goes on from
 * what it had when it failed in a way that passes. Nothing is remembered of what ended. Memory of one process.
 */
export interface UnfinishedWork<Part> {
  /** @param work finds its earlier parts in the map, and puts there what it has got. */
  goOn<Result>(task: string, work: (parts: Map<string, Part>) => Promise<Result>): Promise<Result>;
}

const isPassing = (error: unknown): boolean => !(error instanceof SupplierError) || error.retryable;

export function createUnfinishedWork<Part>(): UnfinishedWork<Part> {
  const begun = new Map<string, Begun<Part>>();
  const begin = (task: string): Begun<Part> => {
    const now = performance.now();
    // The oldest stand first.
    for (const [old, { until }] of begun) {
      if (until > now && begun.size < MOST) break;
      begun.delete(old);
    }
    const known = begun.get(task) ?? { parts: new Map<string, Part>(), until: now + KEPT_MS };
    begun.set(task, known);
    return known;
  };
  return {
    async goOn(task, work) {
      const mine = begin(task);
      const end = (): void => {
        if (begun.get(task) === mine) begun.delete(task);
      };
      try {
        const result = await work(mine.parts);
        end();
        return result;
      } catch (error) {
        if (!isPassing(error)) end();
        throw error;
      }
    },
  };
}
