import { Migration0001First } from './0001-first.ts';
import { Migration0002SupplierCore } from './0002-supplier-core.ts';
import { Migration0003OrdersRest } from './0003-orders-rest.ts';
import { Migration0004Sourcing } from './0004-sourcing.ts';
import { Migration0005Shopify } from './0005-shopify.ts';
import { Migration0006Mails } from './0006-mails.ts';
import { Migration0007ApiKeys } from './0007-api-keys.ts';
import { Migration0008DeadLetters } from './0008-dead-letters.ts';
import { Migration0010Restorations } from './0010-restorations.ts';
import { Migration0011Privacy } from './0011-privacy.ts';
import { Migration0012Traces } from './0012-traces.ts';
import { Migration0013RoomForChanges } from './0013-room-for-changes.ts';
import { Migration0014BudgetPause } from './0014-budget-pause.ts';
import { Migration0017Customs } from './0017-customs.ts';
import { Migration0018Showing } from './0018-showing.ts';
import { Migration0019OutboxPending } from './0019-outbox-pending.ts';
import { Migration0020ReferencesAtOnce } from './0020-references-at-once.ts';
import { Migration0021OpenCalls } from './0021-open-calls.ts';
import { Migration0022ParcelsOfAnOrder } from './0022-parcels-of-an-order.ts';
import { Migration0023PhoneOfContact } from './0023-phone-of-contact.ts';
import { Migration0024KeyOfTokens } from './0024-key-of-tokens.ts';
import { Migration0026PositionMarks } from './0026-position-marks.ts';

/** Listed by hand, in order; a migration is never edited after it has run anywhere. */
export const MIGRATIONS = [
  { name: '0001-first', class: Migration0001First },
  { name: '0002-supplier-core', class: Migration0002SupplierCore },
  { name: '0003-orders-rest', class: Migration0003OrdersRest },
  { name: '0004-sourcing', class: Migration0004Sourcing },
  { name: '0005-shopify', class: Migration0005Shopify },
  { name: '0006-mails', class: Migration0006Mails },
  { name: '0007-api-keys', class: Migration0007ApiKeys },
  { name: '0008-dead-letters', class: Migration0008DeadLetters },
  { name: '0010-restorations', class: Migration0010Restorations },
  { name: '0011-privacy', class: Migration0011Privacy },
  { name: '0012-traces', class: Migration0012Traces },
  { name: '0013-room-for-changes', class: Migration0013RoomForChanges },
  { name: '0014-budget-pause', class: Migration0014BudgetPause },
  { name: '0017-customs', class: Migration0017Customs },
  { name: '0018-showing', class: Migration0018Showing },
  { name: '0019-outbox-pending', class: Migration0019OutboxPending },
  { name: '0020-references-at-once', class: Migration0020ReferencesAtOnce },
  { name: '0021-open-calls', class: Migration0021OpenCalls },
  { name: '0022-parcels-of-an-order', class: Migration0022ParcelsOfAnOrder },
  { name: '0023-phone-of-contact', class: Migration0023PhoneOfContact },
  { name: '0024-key-of-tokens', class: Migration0024KeyOfTokens },
  { name: '0026-position-marks', class: Migration0026PositionMarks },
];
