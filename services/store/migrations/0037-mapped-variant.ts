import { Migration } from '@mikro-orm/migrations';

/** A mapping may name an article otherwise than its supplier does: what was refused is known by both names. */
export class Migration0037MappedVariant extends Migration {
  override up(): void {
    this.addSql('alter table supplier_order_lines add column mapped_variant_id text');
  }
}
