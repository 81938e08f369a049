import { Migration } from '@mikro-orm/migrations';

/** Which reference of ours the supplier has a purchase under that took over another one. */
export class Migration0033PlacedAs extends Migration {
  override up(): void {
    this.addSql('alter table supplier_orders add column placed_as text');
  }
}
