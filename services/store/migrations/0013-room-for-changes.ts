import { Migration } from '@mikro-orm/migrations';

/** Rows that are changed often leave room on their page, so that a change need not touch every index. */
const CHANGED_OFTEN = ['orders', 'supplier_orders', 'purchase_intents', 'parcels', 'notifications'];
/** A few rows that change all the time: with room for many versions, reading them stays short. */
const HOT = ['event_partitions', 'supplier_accounts', 'copies'];

export class Migration0013RoomForChanges extends Migration {
  override up(): void {
    for (const table of CHANGED_OFTEN) this.addSql(`alter table ${table} set (fillfactor = 80)`);
    for (const table of HOT) this.addSql(`alter table ${table} set (fillfactor = 10)`);
  }
}
