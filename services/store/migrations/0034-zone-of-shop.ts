import { Migration } from '@mikro-orm/migrations';

/** In which zone a shop's days begin: its orders are dated in mails as the shop dates them. */
export class Migration0034ZoneOfShop extends Migration {
  override up(): void {
    this.addSql('alter table shop_status add column time_zone text');
  }
}
