import { Migration } from '@mikro-orm/migrations';

/** Purchase calls that were refused lately are few among all that ever were, and are looked for with every stray. */
export class Migration0041RefusedCalls extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(`
      create index concurrently if not exists purchase_intents_refused on purchase_intents (supplier, updated_at)
       where kind = 'create' and state = 'refused'
    `);
  }
}
