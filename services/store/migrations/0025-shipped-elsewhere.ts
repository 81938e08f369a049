import { Migration } from '@mikro-orm/migrations';

/** Orders begun before this were told without what others ship and deliver: their timelines are not told again. */
export class Migration0025ShippedElsewhere extends Migration {
  override up(): void {
    this.addSql('alter table orders alter column machine_version set default 3');
  }
}
