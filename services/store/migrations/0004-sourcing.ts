import { Migration } from '@mikro-orm/migrations';

/** Mappings know the shop's SKU; one line of a supplier order may be several articles, as a bundle is. */
export class Migration0004Sourcing extends Migration {
  override up(): void {
    this.addSql('alter table product_mappings add column sku text');
    this.addSql('alter table product_mappings alter column updated_at set default now()');
    this.addSql('create index product_mappings_sku on product_mappings (sku)');
    this.addSql('alter table supplier_order_lines drop constraint supplier_order_lines_pkey');
    this.addSql(
      'alter table supplier_order_lines add primary key (supplier_order_id, line_id, supplier_product_id, supplier_variant_id)',
    );
  }
}
