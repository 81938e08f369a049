import type { FoundOrder } from './adapter.ts';

/** An order at the supplier that a push named and none of ours is known by. */
export interface Stray {
  readonly reference: string;
  /** When it was made, in milliseconds since 1970. */
  readonly atMs: number;
  readonly found: FoundOrder;
  /** As `articlesKey` makes it. */
  readonly articles: string;
}

/**
 * A purchase call that may be the origin of a stray: under way still, in doubt, or made again and answered then, which
 * leaves open what became of the first time.
 */
export interface OpenCall {
  /** Of its supplier order. */
  readonly id: string;
  readonly attempt: number;
  readonly state: 'under_way' | 'in_doubt' | 'repeated';
  /** Milliseconds since 1970: an order of it was made between them. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly articles: string;
}

export type StrayMatch =
  /** They fit each other and nobody else. */
  | { readonly kind: 'adopted'; readonly stray: Stray }
  | { readonly kind: 'none' }
  /** It may be the answer to a call that is still under way. */
  | { readonly kind: 'undecided' }
  /** Several orders, or several purchases in doubt, fit each other. */
  | { readonly kind: 'ambiguous'; readonly references: string };

/** A person who sorts them out sees by these which ones they are; more would fill the timeline of each order. */
const MOST_NAMED = 20;

const named = (inTime: readonly Stray[], { first, end }: Candidate): string => {
  const references = inTime.slice(first, Math.min(end, first + MOST_NAMED)).map(({ reference }) => reference);
  const more = end - first - references.length;
  return [...references, ...(more > 0 ? [`and ${more} more`] : [])].join(' ');
};

/** A call with its strays: a stretch of those of its articles, which stand in the order of their time. */
interface Candidate {
  readonly call: OpenCall;
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
}

/**
 * Which strays fit each of the calls that are no longer under way; calls that none fits are left out. A call and a stray
 * fit when their articles are the same and the stray was made in the call's time. After an outage hundreds of each may
 * be of the same article: all are compared by their times' order alone.
 */
export function matchStrays(
  calls: readonly OpenCall[],
  strays: readonly Stray[],
): ReadonlyMap<OpenCall, StrayMatch> {
  const matches = new Map<OpenCall, StrayMatch>();
  const callsOf = Map.groupBy(calls, ({ articles }) => articles);
  for (const [articles, alike] of Map.groupBy(strays, (stray) => stray.articles)) {
    const inTime = alike.toSorted((a, b) => a.atMs - b.atMs);
    const candidates = (callsOf.get(articles) ?? [])
      .map((call): Candidate => {
        const first = inTime.findIndex(({ atMs }) => atMs >= call.fromMs);
        const end = inTime.findLastIndex(({ atMs }) => atMs <= call.toMs) + 1;
        return { call, first: first < 0 ? inTime.length : first, end };
      })
      .filter(({ first, end }) => first < end);
    const underWay = candidates.filter(({ call }) => call.state === 'under_way');
    for (const mine of candidates) {
      if (mine.call.state === 'under_way') continue;
      const isRival = (other: Candidate): boolean =>
        other !== mine && other.first < mine.end && mine.first < other.end;
      const stray = mine.end - mine.first === 1 ? inTime[mine.first] : undefined;
      if (stray !== undefined && !candidates.some(isRival))
        matches.set(mine.call, { kind: 'adopted', stray });
      else if (underWay.some(isRival)) matches.set(mine.call, { kind: 'undecided' });
      else matches.set(mine.call, { kind: 'ambiguous', references: named(inTime, mine) });
    }
  }
  return matches;
}
