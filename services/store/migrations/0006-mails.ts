import { Migration } from '@mikro-orm/migrations';

/** Mails that are bundled, mails to the operator, and when a parcel left and should arrive. */
export class Migration0006Mails extends Migration {
  override up(): void {
    this.addSql(`alter table notifications alter column order_id drop not null`);
    this.addSql(`alter table notifications add column about text, add column bundle text`);
    this.addSql(`create index notifications_about on notifications (about) where about is not null`);
    this.addSql(
      `create index notifications_bundle on notifications (bundle) where bundle is not null and state = 'pending'`,
    );
    this.addSql(
      `create index notifications_unsure on notifications (created_at) where state in ('failed', 'doubt')`,
    );
    this.addSql(`alter table parcels add column left_at timestamptz(3)`);
    this.addSql(`alter table supplier_orders add column delivery_days int`);
  }
}
