import { Migration } from '@mikro-orm/migrations';

export class Migration0014BudgetPause extends Migration {
  override up(): void {
    this.addSql(`alter table supplier_accounts add column budget_paused_until timestamptz(3)`);
  }
}
