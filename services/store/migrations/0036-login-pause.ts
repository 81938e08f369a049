import { Migration } from '@mikro-orm/migrations';

/** A supplier that grants few logins has refused one: none is tried by any copy before this. */
export class Migration0036LoginPause extends Migration {
  override up(): void {
    this.addSql('alter table supplier_accounts add column login_paused_until timestamptz(3)');
  }
}
