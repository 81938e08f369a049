import { Migration } from '@mikro-orm/migrations';

/** What an order comes to in the currency that its buyer was asked for, which may be another one than the shop's. */
export class Migration0032TotalOfCustomer extends Migration {
  override up(): void {
    this.addSql('alter table customer_details add column total_minor bigint, add column total_currency text');
  }
}
