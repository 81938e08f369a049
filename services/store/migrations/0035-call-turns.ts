import { Migration } from '@mikro-orm/migrations';

/** A supplier that bans whoever calls it in parallel is called by one copy at a time. */
export class Migration0035CallTurns extends Migration {
  override up(): void {
    this.addSql(
      `alter table supplier_accounts add column turn_until timestamptz(3) not null default '-infinity',
                                     add column turn_of text`,
    );
  }
}
