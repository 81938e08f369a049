import { Migration0001First } from './0001-first.ts';
import { Migration0003OrdersRest } from './0003-orders-rest.ts';

/** Listed by hand, in order; a migration is never edited after it has run anywhere. */
export const MIGRATIONS = [
  { name: '0001-first', class: Migration0001First },
  { name: '0003-orders-rest', class: Migration0003OrdersRest },
];
