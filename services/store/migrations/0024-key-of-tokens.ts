import { Migration } from '@mikro-orm/migrations';

/** A hash of the key that a supplier's tokens were had for: those of another key are another account's. */
export class Migration0024KeyOfTokens extends Migration {
  override up(): void {
    this.addSql('alter table supplier_accounts add column key_fingerprint text');
  }
}
