import { AsyncLocalStorage } from 'node:async_hooks';
import { gatheringFor } from '../gathering.ts';

export interface Asked<Item> {
  readonly item: Item;
  /** Runs what belongs to this item alone: its messages and log lines say whose work they are. */
  readonly within: <T>(run: () => T) => T;
}

/** `gatheringFor` whose items know whose work they are. */
export function inRounds<Ports extends object, Item, Answer>(
  round: (ports: Ports, asked: readonly Asked<Item>[]) => Promise<readonly Answer[]>,
): (ports: Ports, item: Item) => Promise<Answer> {
  const ask = gatheringFor(round);
  return (ports, item) => ask(ports, { item, within: AsyncLocalStorage.snapshot() });
}
