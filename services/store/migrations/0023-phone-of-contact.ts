import { Migration } from '@mikro-orm/migrations';

/** Whether the telephone number was put in here by the API: it is then the one for the parcel, before the address's own. */
export class Migration0023PhoneOfContact extends Migration {
  override up(): void {
    this.addSql('alter table customer_details add column is_phone_ours boolean not null default false');
  }
}
