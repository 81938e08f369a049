import { Migration } from '@mikro-orm/migrations';

/**
 * The index by which an order is found by its reference at the supplier takes new entries in their place at once. By
 * default they wait in a list that each search reads from end to end, which was nearly all of what a search cost.
 */
export class Migration0020ReferencesAtOnce extends Migration {
  override up(): void {
    this.addSql('alter index supplier_orders_references set (fastupdate = off)');
    this.addSql(`select gin_clean_pending_list('supplier_orders_references')`);
  }
}
