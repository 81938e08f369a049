import { Migration } from '@mikro-orm/migrations';

/** Purchase calls whose outcome is open are few, and are looked for every other second among all that ever were. */
export class Migration0021OpenCalls extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(`
      create index concurrently if not exists purchase_intents_open on purchase_intents (supplier)
       where kind = 'create' and (state in ('calling', 'unknown') or (state = 'done' and repeats > 0))
    `);
  }
}
