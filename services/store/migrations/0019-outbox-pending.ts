import { Migration } from '@mikro-orm/migrations';

/**
 * What has still to be published, a row for each transaction: taking one away costs next to nothing, while marking each
 * message wrote all of it anew. Messages of the release before are found by their empty `published_at`, as before.
 */
export class Migration0019OutboxPending extends Migration {
  override up(): void {
    this.addSql(`
      create table outbox_pending (
        first_id bigint not null,
        ids bigint[] not null,
        created_at timestamptz(3) not null default now(),
        primary key (first_id)
      )
    `);
  }
}
