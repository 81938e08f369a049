import { z } from 'zod';
import { orNull } from './or-null.ts';

/**
 * One query may cost 1,000 points (an object 1, a connection its size times its child); the page sizes are chosen to stay
 * well below.
 */
export const PageInfo = z.object({ hasNextPage: z.boolean(), endCursor: orNull(z.string()) });
interface Page<N> {
  readonly pageInfo: z.infer<typeof PageInfo>;
  readonly nodes: readonly N[];
}

/** Follows a connection to its end; a page that is gone meanwhile ends it too. */
export async function allNodes<N>(
  first: Page<N> | undefined,
  readNext: (after: string) => Promise<Page<N> | undefined>,
): Promise<N[]> {
  const nodes = [...(first?.nodes ?? [])];
  let page = first;
  while (page?.pageInfo.hasNextPage && page.pageInfo.endCursor !== null) {
    page = await readNext(page.pageInfo.endCursor);
    nodes.push(...(page?.nodes ?? []));
  }
  return nodes;
}
