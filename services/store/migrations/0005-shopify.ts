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
    this.addSql(`
      alter table parcels add column shown_state text, add column shown_last_mile text,
        add column show_after timestamptz(3) not null default now()
    `);
    this.addSql(`
      create index parcels_to_show on parcels (show_after) where fulfillment_state = 'done'
        and (shown_state is distinct from state or shown_last_mile is distinct from last_mile_tracking_number)
    `);
    this.addSql(`
      create table shop_holds (
        order_id text not null,
        placed boolean not null,
        check_after timestamptz(3) not null default now(),
        primary key (order_id)
      )
    `);
    this.addSql(`
      create table shop_sweeps (
        name text not null,
        mark timestamptz(3) not null,
        ended_at timestamptz(3),
        primary key (name)
      )
    `);
    this.addSql(`
      create table swept_orders (
        order_id text not null,
        shop text not null,
        shop_updated_at timestamptz(3) not null,
        first_seen_at timestamptz(3) not null default now(),
        primary key (order_id)
      )
    `);
    this.addSql('create index swept_orders_first on swept_orders (first_seen_at)');
    this.addSql(`
      create table gap_reports (
        shop text not null,
        day date not null,
        seen int not null,
        by_webhook int not null,
        only_by_sweep int not null,
        missing int not null,
        mean_delay_seconds double precision,
        primary key (shop, day)
      )
    `);
    this.addSql('create index shop_holds_placed on shop_holds (order_id) where placed');
  }
}
