import { Migration } from '@mikro-orm/migrations';

/** For which address a purchase was quoted: what was planned for another one is not bought. */
export class Migration0043QuotedFor extends Migration {
  override up(): void {
    this.addSql('alter table supplier_orders add column quoted_for text');
  }
}
