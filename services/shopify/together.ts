import { gathering } from '../gathering.ts';
import type { Store } from '../store/store.ts';
import type { ShopPorts } from './shop-ports.ts';

type RoundPorts = Pick<ShopPorts, 'store' | 'bus'>;

/** `gathering`, once for each database: what the commands of one process ask it for at the same time is one round. */
export function together<Item, Answer>(
  round: (ports: RoundPorts, items: readonly Item[]) => Promise<readonly Answer[]>,
): (ports: RoundPorts, item: Item) => Promise<Answer> {
  const known = new WeakMap<Store, (item: Item) => Promise<Answer>>();
  return (ports, item) => {
    const gather = known.get(ports.store) ?? gathering((items: readonly Item[]) => round(ports, items));
    known.set(ports.store, gather);
    return gather(item);
  };
}
