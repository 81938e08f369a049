import { Migration } from '@mikro-orm/migrations';

/** Whoever bought may send it to somebody else: mails greet the buyer. */
export class Migration0031NameOfCustomer extends Migration {
  override up(): void {
    this.addSql('alter table customer_details add column name text');
  }
}
