import type { FoundOrder } from './adapter.ts';

/** An order at the supplier that a push named and none of ours is known by. */
export interface Stray {
  readonly reference: string;
  /** When it may have been made, in milliseconds since 1970: several where its supplier names no zone. */
  readonly instantsMs: readonly number[];
  readonly found: FoundOrder;
  /** As `articlesKey` makes it. */
  readonly articles: string;
}

/**
 * A purchase call that may be the origin of a stray: under way still, in doubt, made again and answered then, which leaves
 * open what became of the first time, or refused, which may have been a lie.
 */
export interface StrayCall {
  /** Of its supplier order. */
  readonly id: string;
  readonly attempt: number;
  readonly state: 'under_way' | 'in_doubt' | 'repeated' | 'refused';
  /** A person has been told already that its supplier may have it twice. */
  readonly isSuspected: boolean;
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

/** One instant at which a stray may have been made. */
interface Point {
  readonly atMs: number;
  readonly stray: Stray;
}

/** A call with the points in its time: a stretch of those of its articles, which stand in the order of their time. */
interface Candidate {
  readonly call: StrayCall;
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
}

/** The first place from which on it holds; behind the last point where it never does. */
function placeOf(points: readonly Point[], holds: (atMs: number) => boolean): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(points[middle]?.atMs ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How often calls meet each stray, by any of its points. */
function meetingsOf(points: readonly Point[], candidates: readonly Candidate[]): Map<Stray, number> {
  const changes = new Map<number, number>();
  const change = (place: number, by: number) => changes.set(place, (changes.get(place) ?? 0) + by);
  for (const { first, end } of candidates) {
    change(first, 1);
    change(end, -1);
  }
  const meetings = new Map<Stray, number>();
  let calls = 0;
  for (const [place, { stray }] of points.entries()) {
    calls += changes.get(place) ?? 0;
    if (calls > 0) meetings.set(stray, (meetings.get(stray) ?? 0) + calls);
  }
  return meetings;
}

function named(points: readonly Point[], { first, end }: Candidate, strays: number): string {
  const references = new Set<string>();
  let place = first;
  for (; place < end && references.size < MOST_NAMED; place += 1)
    references.add(points[place]?.stray.reference ?? '');
  const more = Math.min(end - place, strays - references.size);
  return [...references, ...(more > 0 ? [`and ${more} more`] : [])].join(' ');
}

const fits = ({ fromMs, toMs }: StrayCall, { instantsMs }: Stray): boolean =>
  instantsMs.some((atMs) => atMs >= fromMs && atMs <= toMs);

/**
 * Which strays fit each of the calls in doubt; those that none fits are left out. A call and a stray fit when their
 * articles are the same and the stray may have been made in the call's time. One that a refused call may have made is
 * nobody's: it would go to the customer of another order. After an outage hundreds of each may be of the same article:
 * all are compared by their times' order alone.
 */
export function matchStrays(
  calls: readonly StrayCall[],
  strays: readonly Stray[],
): ReadonlyMap<StrayCall, StrayMatch> {
  const matches = new Map<StrayCall, StrayMatch>();
  const callsOf = Map.groupBy(calls, ({ articles }) => articles);
  for (const [articles, all] of Map.groupBy(strays, (stray) => stray.articles)) {
    const refused = (callsOf.get(articles) ?? []).filter(({ state }) => state === 'refused');
    const alike = all.filter((stray) => !refused.some((call) => fits(call, stray)));
    const points = alike
      .flatMap((stray) => stray.instantsMs.map((atMs): Point => ({ atMs, stray })))
      .sort((a, b) => a.atMs - b.atMs);
    const candidates = (callsOf.get(articles) ?? [])
      .map((call): Candidate => {
        const first = placeOf(points, (atMs) => atMs >= call.fromMs);
        return { call, first, end: placeOf(points, (atMs) => atMs > call.toMs) };
      })
      .filter(({ first, end }) => first < end);
    const isUnderWay = ({ call }: Candidate): boolean => call.state === 'under_way';
    const meetings = meetingsOf(points, candidates);
    const underWay = meetingsOf(points, candidates.filter(isUnderWay));
    // Up to each place: points of strays that a call under way may have made.
    const taken = [0];
    for (const { stray } of points) taken.push((taken.at(-1) ?? 0) + (underWay.has(stray) ? 1 : 0));
    for (const mine of candidates) {
      const { call, first, end } = mine;
      if (call.state !== 'in_doubt') continue;
      const stray = points[first]?.stray;
      let last = first;
      while (last < end && points[last]?.stray === stray) last += 1;
      // Whoever else meets it, meets it more often than this call alone.
      if (stray !== undefined && last === end && meetings.get(stray) === end - first)
        matches.set(call, { kind: 'adopted', stray });
      else if (taken[end] !== taken[first]) matches.set(call, { kind: 'undecided' });
      else matches.set(call, { kind: 'ambiguous', references: named(points, mine, alike.length) });
    }
  }
  return matches;
}

/**
 * Strays that no call in doubt or under way can have made: an order too many of a call that was made again, or one of a
 * call that was refused. With the last call that may have made it, and how many may: nobody can tell which it was, and
 * one person is enough to look. Each of several has a call of its own as far as there are enough.
 */
export function matchSurplus(
  calls: readonly StrayCall[],
  strays: readonly Stray[],
): readonly { readonly stray: Stray; readonly call: StrayCall; readonly fitting: number }[] {
  const isSettled = ({ state }: StrayCall): boolean => state === 'repeated' || state === 'refused';
  const settled = Map.groupBy(calls.filter(isSettled), ({ articles }) => articles);
  const open = Map.groupBy(
    calls.filter((call) => !isSettled(call)),
    ({ articles }) => articles,
  );
  const suspected = new Set(calls.filter(({ isSuspected }) => isSuspected));
  return strays.flatMap((stray) => {
    const fitting = (settled.get(stray.articles) ?? [])
      .filter((call) => fits(call, stray))
      .sort((a, b) => b.fromMs - a.fromMs);
    const call = fitting.find((one) => !suspected.has(one)) ?? fitting[0];
    if (call === undefined || open.get(stray.articles)?.some((one) => fits(one, stray))) return [];
    suspected.add(call);
    return [{ stray, call, fitting: fitting.length }];
  });
}
