import type { EntityManager } from '@mikro-orm/postgresql';
import type { Store } from '../../services/store/store.ts';

/** The units of lines and of supplier orders must not come from different moments. */
export async function inOneSnapshot<T>(store: Store, read: (em: EntityManager) => Promise<T>): Promise<T> {
  const em = await store.em();
  return em.transactional(read, { isolationLevel: 'repeatable read', readOnly: true });
}
