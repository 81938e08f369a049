import { Migration } from '@mikro-orm/migrations';

/** A parcel whose tracking number was replaced is found in the shop by the numbers that it had. */
export class Migration0030EarlierNumbers extends Migration {
  override up(): void {
    this.addSql('alter table parcels add column earlier_numbers json');
  }
}
