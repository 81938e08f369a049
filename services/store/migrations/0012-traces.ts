import { Migration } from '@mikro-orm/migrations';

export class Migration0012Traces extends Migration {
  override up(): void {
    this.addSql(`alter table timers add column traceparent text`);
  }
}
