import { Migration0001First } from './0001-first.ts';
import { Migration0002SupplierCore } from './0002-supplier-core.ts';
import { Migration0003OrdersRest } from './0003-orders-rest.ts';
import { Migration0004Sourcing } from './0004-sourcing.ts';
import { Migration0005Shopify } from './0005-shopify.ts';
import { Migration0006Mails } from './0006-mails.ts';
import { Migration0007ApiKeys } from './0007-api-keys.ts';
import { Migration0013RoomForChanges } from './0013-room-for-changes.ts';

/** Listed by hand, in order; a migration is never edited after it has run anywhere. */
export const MIGRATIONS = [
  { name: '0001-first', class: Migration0001First },
  { name: '0002-supplier-core', class: Migration0002SupplierCore },
  { name: '0003-orders-rest', class: Migration0003OrdersRest },
  { name: '0004-sourcing', class: Migration0004Sourcing },
  { name: '0005-shopify', class: Migration0005Shopify },
  { name: '0006-mails', class: Migration0006Mails },
  { name: '0007-api-keys', class: Migration0007ApiKeys },
  { name: '0013-room-for-changes', class: Migration0013RoomForChanges },
];
