import { Migration } from '@mikro-orm/migrations';

/** Calls that a supplier counts for themselves keep their distance whichever copy makes them. */
export class Migration0027SpacedCalls extends Migration {
  override up(): void {
    this.addSql(
      `alter table supplier_accounts add column next_spaced_call_at timestamptz(3) not null default '-infinity'`,
    );
  }
}
