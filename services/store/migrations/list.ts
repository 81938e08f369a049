import { Migration0001First } from './0001-first.ts';
import { Migration0005Shopify } from './0005-shopify.ts';

/** Listed by hand, in order; a migration is never edited after it has run anywhere. */
export const MIGRATIONS = [
  { name: '0001-first', class: Migration0001First },
  { name: '0005-shopify', class: Migration0005Shopify },
];
