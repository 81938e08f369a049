import { isOutage } from './store/outage.ts';

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What is asked for while a round is at work shares the next round: the more there is to do at once, the fewer
 * transactions it takes, and nobody waits for company. A round that fails is taken apart, so that one bad item fails
 * alone; an outage fails all of it at once.
 * @param round answers all items, each in its place, in one transaction: when it throws, nothing of it may have happened.
 * It runs in the context of whichever item began it, so what belongs to an item's own work (its trace) is in the item.
 * @param most items of one round.
 * @param rounds at work side by side.
 */
export function gathering<Item, Answer>(
  round: (items: readonly Item[]) => Promise<readonly Answer[]>,
  { most = 64, rounds = 1 }: { readonly most?: number; readonly rounds?: number } = {},
): (item: Item) => Promise<Answer> {
  let waiting: Waiting<Item, Answer>[] = [];
  let atWork = 0;

  const answer = async (batch: readonly Waiting<Item, Answer>[]): Promise<void> => {
    try {
      const answers = await round(batch.map(({ item }) => item));
      if (answers.length !== batch.length) throw new RangeError('a round must answer each of its items');
      // As many as there are items.
      answers.forEach((value, index) => {
        batch[index]?.resolve(value);
      });
    } catch (error) {
      if (batch.length === 1 || isOutage(error)) for (const { reject } of batch) reject(error);
      else for (const one of batch) await answer([one]);
    }
  };

  const work = async (): Promise<void> => {
    atWork += 1;
    // What else is asked for in this turn of the event loop comes along.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      const batch = waiting.slice(0, most);
      waiting = waiting.slice(most);
      await answer(batch);
    }
    atWork -= 1;
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (atWork < rounds) void work();
    });
}

/** `gathering`, once for each set of ports, so for each copy of a service; `round` gets them. */
export function gatheringFor<Ports extends object, Item, Answer>(
  round: (ports: Ports, items: readonly Item[]) => Promise<readonly Answer[]>,
): (ports: Ports, item: Item) => Promise<Answer> {
  const known = new WeakMap<Ports, (item: Item) => Promise<Answer>>();
  return (ports, item) => {
    const ask = known.get(ports) ?? gathering((items: readonly Item[]) => round(ports, items));
    known.set(ports, ask);
    return ask(item);
  };
}
