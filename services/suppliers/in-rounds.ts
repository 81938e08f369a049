import { AsyncLocalStorage } from 'node:async_hooks';
import { gathering } from '../gathering.ts';

export interface Asked<Item> {
  readonly item: Item;
  /** Runs what belongs to this item alone: its messages and log lines say whose work they are. */
  readonly within: <T>(run: () => T) => T;
}

/**
 * A gathering for each set of ports, so for each copy of the service: what is asked for at the same time is answered in
 * one round, as `gathering` says.
 */
export function inRounds<Ports extends object, Item, Answer>(
  round: (ports: Ports, asked: readonly Asked<Item>[]) => Promise<readonly Answer[]>,
): (ports: Ports, item: Item) => Promise<Answer> {
  const gatherings = new WeakMap<Ports, (asked: Asked<Item>) => Promise<Answer>>();
  return (ports, item) => {
    const known = gatherings.get(ports);
    const ask = known ?? gathering((asked: readonly Asked<Item>[]) => round(ports, asked));
    if (known === undefined) gatherings.set(ports, ask);
    return ask({ item, within: AsyncLocalStorage.snapshot() });
  };
}
