import { Migration } from '@mikro-orm/migrations';

export class Migration0010Restorations extends Migration {
  override up(): void {
    this.addSql(`
      create table restorations (
        id bigserial not null,
        backup_of timestamptz(3) not null,
        restored_at timestamptz(3) not null default now(),
        primary key (id)
      )
    `);
  }
}
