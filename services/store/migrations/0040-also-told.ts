import { Migration } from '@mikro-orm/migrations';

/** Other parcels that a mail told of as well: they travel under the same number. */
export class Migration0040AlsoTold extends Migration {
  override up(): void {
    this.addSql('alter table notifications add column also_tells text[]');
  }
}
