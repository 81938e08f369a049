import { Migration } from '@mikro-orm/migrations';

export class Migration0018Showing extends Migration {
  override up(): void {
    this.addSql(
      `alter table parcels add column showing text, add column is_sole_fulfillment boolean not null default false`,
    );
  }
}
