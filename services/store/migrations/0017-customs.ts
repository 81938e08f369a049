import { Migration } from '@mikro-orm/migrations';

/** What customs of some countries want besides a tax number, and whether it was put in here by the API. */
export class Migration0017Customs extends Migration {
  override up(): void {
    this.addSql(
      `alter table customer_details add column birthday text, add column national_address text,
         add column is_customs_ours boolean not null default false`,
    );
  }
}
