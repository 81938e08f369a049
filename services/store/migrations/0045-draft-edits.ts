import { Migration } from '@mikro-orm/migrations';

/** How often a draft was changed: a quote of it as it was before counts no more. */
export class Migration0045DraftEdits extends Migration {
  override up(): void {
    this.addSql('alter table supplier_orders add column edits int not null default 0');
  }
}
