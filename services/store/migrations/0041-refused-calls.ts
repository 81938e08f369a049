import { Migration } from '@mikro-orm/migrations';

/**
 * Purchase calls that were refused lately are few among all that ever were, and are looked for with every stray. A stray
 * that a person was told of is told of no more.
 */
export class Migration0041RefusedCalls extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('alter table stray_supplier_orders add column if not exists told_at timestamptz(3)');
    this.addSql(`
      create index concurrently if not exists purchase_intents_refused on purchase_intents (supplier, updated_at)
       where kind = 'create' and state = 'refused'
    `);
  }
}
