import { Migration } from '@mikro-orm/migrations';

/** An applied message by its time in the stream: another one in its place is found out, however far the stream goes. */
export class Migration0026PositionMarks extends Migration {
  override up(): void {
    this.addSql('alter table event_partitions add column marked_seq bigint, add column marked_ms bigint');
  }
}
