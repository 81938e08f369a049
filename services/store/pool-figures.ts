import type { Pool } from 'pg';
import { gauge, liveParts } from '../figures.ts';

/** Open pools of this process; usually one. */
export const pools = liveParts<Pick<Pool, 'totalCount' | 'idleCount' | 'waitingCount' | 'options'>>();

const sum = (
  read: (pool: Pick<Pool, 'totalCount' | 'idleCount' | 'waitingCount' | 'options'>) => number,
): number => [...pools].reduce((all, pool) => all + read(pool), 0);

gauge(
  { name: 'database_connections', help: 'Connections of the pool to PostgreSQL' },
  { state: ['busy', 'idle'] as const },
  (set) => {
    set(
      { state: 'idle' },
      sum(({ idleCount }) => idleCount),
    );
    set(
      { state: 'busy' },
      sum(({ totalCount, idleCount }) => totalCount - idleCount),
    );
  },
);
gauge({ name: 'database_connections_limit', help: 'Connections that the pool may open' }, {}, (set) =>
  set(
    {},
    sum(({ options }) => options.max),
  ),
);
gauge(
  { name: 'database_connections_awaited', help: 'Statements that wait for a connection of the pool' },
  {},
  (set) =>
    set(
      {},
      sum(({ waitingCount }) => waitingCount),
    ),
);
