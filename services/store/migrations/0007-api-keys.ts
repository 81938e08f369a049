import { Migration } from '@mikro-orm/migrations';

export class Migration0007ApiKeys extends Migration {
  override up(): void {
    this.addSql(`
      create table api_keys (
        id text not null,
        name text not null,
        digest text not null,
        scope text not null,
        created_at timestamptz(3) not null default now(),
        revoked_at timestamptz(3),
        primary key (id)
      )
    `);
    this.addSql(`create unique index api_keys_name on api_keys (name) where revoked_at is null`);
  }
}
