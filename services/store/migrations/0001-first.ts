import { Migration } from '@mikro-orm/migrations';

/**
 * No foreign keys: rows of one order are written together in one transaction by the partition's owner, and each key
 * would cost the batch a look-up per row. Rows that change often leave room for updates in place (fillfactor).
 */
export class Migration0001First extends Migration {
  override up(): void {
    this.addSql(`
      create table copies (
        id text not null,
        seen_at timestamptz(3) not null,
        primary key (id)
      )
    `);
    this.addSql(`
      create table customer_details (
        order_id text not null,
        source_updated_at timestamptz(3) not null,
        email text,
        phone text,
        locale text,
        tax_id text,
        shipping_address jsonb,
        primary key (order_id)
      )
    `);
    this.addSql(`
      create table dead_letters (
        id bigserial primary key,
        order_id text,
        message_id text not null,
        subject text not null,
        seq bigint not null,
        payload text not null,
        state text not null,
        failure text,
        opened_at timestamptz(3) not null default now()
      )
    `);
    this.addSql(
      `create index dead_letters_open on dead_letters (order_id, id) where state in ('open', 'parked')`,
    );
    this.addSql(`
      create table event_partitions (
        part int not null,
        owner text,
        epoch bigint not null default '0',
        lease_until timestamptz(3) not null default '-infinity',
        seq bigint not null default '0',
        stream_created text,
        halted text,
        primary key (part)
      ) with (fillfactor = 70)
    `);
    this.addSql(`
      create table holds (
        id text not null,
        order_id text not null,
        reason text not null,
        line_id text,
        supplier_order_id text,
        evidence json not null,
        opened_at timestamptz(3) not null default now(),
        released_at timestamptz(3),
        primary key (id)
      )
    `);
    this.addSql(`create index holds_open on holds (order_id) where released_at is null`);
    this.addSql(`
      create table inbox (
        message_id text not null,
        at timestamptz(3) not null default now(),
        primary key (message_id)
      )
    `);
    this.addSql(`create index inbox_age on inbox (at)`);
    this.addSql(`
      create table product_mappings (
        variant_id text not null,
        candidates jsonb not null,
        updated_at timestamptz(3) not null,
        primary key (variant_id)
      )
    `);
    this.addSql(`
      create table notifications (
        id text not null,
        order_id text not null,
        kind text not null,
        parcel_id text,
        state text not null,
        attempt int not null default 0,
        next_try_at timestamptz(3) not null default now(),
        evidence json,
        created_at timestamptz(3) not null default now(),
        sent_at timestamptz(3),
        primary key (id)
      )
    `);
    this.addSql(`create index notifications_order on notifications (order_id)`);
    this.addSql(
      `create index notifications_waiting on notifications (next_try_at) where state in ('pending', 'sending')`,
    );
    this.addSql(`
      create table orders (
        id text not null,
        shop text not null,
        shop_order_id text not null,
        name text not null,
        currency text not null,
        total_minor bigint not null,
        placed_at text not null,
        state text not null,
        context json not null,
        machine_version int not null default 1,
        version int not null default 1,
        created_at timestamptz(3) not null default now(),
        updated_at timestamptz(3) not null default now(),
        primary key (id)
      ) with (fillfactor = 70)
    `);
    this.addSql(`create index orders_listing on orders (created_at, id)`);
    this.addSql(`alter table orders add constraint orders_shop_order unique (shop, shop_order_id)`);
    this.addSql(`
      create table order_lines (
        order_id text not null,
        line_id text not null,
        position int not null,
        variant_id text,
        product_id text,
        sku text,
        title text not null,
        unit_price_minor bigint not null,
        primary key (order_id, line_id)
      )
    `);
    this.addSql(`create index order_lines_variant on order_lines (variant_id)`);
    this.addSql(`
      create table outbox (
        id bigserial primary key,
        message_id text not null,
        subject text not null,
        payload text not null,
        created_at timestamptz(3) not null default now(),
        published_at timestamptz(3)
      )
    `);
    this.addSql(`create index outbox_unpublished on outbox (id) where published_at is null`);
    this.addSql(`create index outbox_archive on outbox (published_at)`);
    this.addSql(`
      create table parcels (
        id text not null,
        order_id text not null,
        supplier_order_id text not null,
        state text not null,
        tracking_number text not null,
        last_mile_tracking_number text,
        carrier text,
        tracking_url text,
        units json not null,
        fulfillment_state text,
        fulfillment_doubt json,
        shop_fulfillment_id text,
        created_at timestamptz(3) not null default now(),
        updated_at timestamptz(3) not null default now(),
        primary key (id)
      )
    `);
    this.addSql(`create index parcels_supplier_order on parcels (supplier_order_id)`);
    this.addSql(`
      create table purchase_intents (
        supplier_order_id text not null,
        kind text not null,
        order_id text not null,
        supplier text not null,
        caller_ref text not null,
        attempt int not null,
        state text not null,
        request_hash text not null,
        expected_cost_minor bigint not null,
        currency text not null,
        call_deadline timestamptz(3) not null,
        look_ups int not null default 0,
        first_absent_at timestamptz(3),
        evidence json,
        created_at timestamptz(3) not null default now(),
        updated_at timestamptz(3) not null default now(),
        primary key (supplier_order_id, kind)
      )
    `);
    this.addSql(`create index purchase_intents_spending on purchase_intents (supplier, created_at)`);
    this.addSql(`
      create table supplier_accounts (
        supplier text not null,
        access_token text,
        access_expires_at text,
        refresh_token text,
        refresh_expires_at text,
        account_id text,
        next_call_at timestamptz(3) not null default '-infinity',
        call_interval_ms double precision not null default 1000,
        primary key (supplier)
      )
    `);
    this.addSql(`
      create table supplier_orders (
        id text not null,
        order_id text not null,
        supplier text not null,
        state text not null,
        context json not null,
        machine_version int not null default 1,
        version int not null default 1,
        shipping_method text not null,
        ships_from text not null,
        expected_cost_minor bigint not null,
        currency text not null,
        supplier_reference text,
        amount_minor bigint,
        next_check_at timestamptz(3),
        observation text,
        observations int not null default 0,
        created_at timestamptz(3) not null default now(),
        updated_at timestamptz(3) not null default now(),
        primary key (id)
      ) with (fillfactor = 70)
    `);
    this.addSql(`create index supplier_orders_order on supplier_orders (order_id)`);
    this.addSql(`create index supplier_orders_listing on supplier_orders (created_at, id)`);
    this.addSql(
      `create index supplier_orders_watched on supplier_orders (supplier, next_check_at) where next_check_at is not null`,
    );
    this.addSql(`
      create table supplier_order_lines (
        supplier_order_id text not null,
        line_id text not null,
        units int not null,
        supplier_product_id text not null,
        supplier_variant_id text not null,
        supplier_units int not null,
        primary key (supplier_order_id, line_id)
      )
    `);
    this.addSql(`
      create table timeline (
        id bigserial primary key,
        order_id text not null,
        at timestamptz(3) not null default now(),
        message_id text not null,
        type text not null,
        accepted boolean not null,
        from_state text,
        to_state text,
        supplier_order_id text
      )
    `);
    this.addSql(`create index timeline_order on timeline (order_id, id)`);
    this.addSql(`
      create table timers (
        order_id text not null,
        key text not null,
        setting bigint not null,
        deadline text not null,
        supplier_order_id text,
        parcel_id text,
        due_at timestamptz(3) not null,
        attempt int not null default 0,
        primary key (order_id, key)
      ) with (fillfactor = 70)
    `);
    this.addSql(`create index timers_due on timers (due_at)`);
    this.addSql(`
      create table webhooks (
        id bigserial primary key,
        source text not null,
        delivery_id text not null,
        event_id text,
        topic text not null,
        api_version text not null,
        triggered_at text,
        order_id text,
        body text not null,
        received_at timestamptz(3) not null default now()
      )
    `);
    this.addSql(`create index webhooks_event on webhooks (event_id)`);
    this.addSql(`alter table webhooks add constraint webhooks_delivery unique (source, delivery_id)`);
    this.addSql(`
      create table shop_leases (
        order_id text not null,
        owner text not null,
        until timestamptz(3) not null,
        primary key (order_id)
      )
    `);
    this.addSql('insert into event_partitions (part) select generate_series(0, 31)');
  }
}
