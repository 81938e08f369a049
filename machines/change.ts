import type { Effect } from './effect.ts';

/** A change of context with what follows from it. */
export interface Change<Context> {
  readonly context: Partial<Context>;
  readonly effects: readonly Effect[];
}

/** Nothing changes and nothing follows. */
export const NOTHING = { context: {}, effects: [] } as const;

/** Several pure changes, each on top of the one before. */
export function inTurn<Context>(
  context: Context,
  ...changes: ((context: Context) => Change<Context>)[]
): Change<Context> {
  let changed: Partial<Context> = {};
  const effects: Effect[] = [];
  for (const change of changes) {
    const next = change({ ...context, ...changed });
    changed = { ...changed, ...next.context };
    effects.push(...next.effects);
  }
  return { context: changed, effects };
}

/** What an event of a machine brings about. */
export type ChangeBy<Context, Event> = (context: Context, event: Event) => Change<Context>;

const isOfType = <Event extends { type: string }, Type extends Event['type']>(
  event: Event,
  type: Type,
): event is Extract<Event, { type: Type }> => event.type === type;

/** Makes, for one machine, changes that events of one type bring about and all others do not. */
export const changesBy =
  <Context, Event extends { type: string }>() =>
  <Type extends Event['type']>(
    type: Type,
    change: ChangeBy<Context, Extract<Event, { type: Type }>>,
  ): ChangeBy<Context, Event> =>
  (context, event) =>
    isOfType(event, type) ? change(context, event) : NOTHING;
