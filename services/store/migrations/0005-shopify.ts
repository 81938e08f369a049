import { Migration } from '@mikro-orm/migrations';

/** What the shop's news, write-back, checks and sweeps are remembered by. */
export class Migration0005Shopify extends Migration {
  override up(): void {
    this.addSql('alter table customer_details add column redacted_at timestamptz(3)');
    this.addSql('create index webhooks_order on webhooks (order_id)');
    this.addSql(`
      create table privacy_requests (
        id bigserial primary key,
        shop text not null,
        kind text not null,
        order_ids json not null,
        received_at timestamptz(3) not null default now(),
        due_at timestamptz(3) not null
      )
    `);
    this.addSql(`
      create table shop_status (
        shop text not null,
        scopes json,
        problems json,
        checked_at timestamptz(3),
        uninstalled_at timestamptz(3),
        primary key (shop)
      )
    `);
    this.addSql(`
      create table shop_variants (
        variant_id text not null,
        product_id text not null,
        seen_at timestamptz(3) not null,
        gone_at timestamptz(3),
        primary key (variant_id)
      )
    `);
    this.addSql('create index shop_variants_product on shop_variants (product_id)');
    this.addSql('alter table product_mappings add column check_wanted_at timestamptz(3)');
  }
}
