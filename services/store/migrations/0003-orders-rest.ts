import { Migration } from '@mikro-orm/migrations';

/** What the API of orders, purchases, holds and timelines needs: columns, records of requests, and an index per filter. */
export class Migration0003OrdersRest extends Migration {
  override up(): void {
    this.addSql(
      `alter table orders add column archived_at timestamptz(3), alter column machine_version set default 2`,
    );
    this.addSql(`drop index orders_listing`);
    this.addSql(`create index orders_listing on orders (created_at, id) where archived_at is null`);
    this.addSql(`create index orders_archived on orders (created_at, id) where archived_at is not null`);
    this.addSql(`create index orders_by_state on orders (state, created_at, id) where archived_at is null`);
    this.addSql(`create index orders_name on orders (lower(name) text_pattern_ops)`);
    this.addSql(`create index order_lines_sku on order_lines (lower(sku))`);

    this.addSql(`alter table holds add column order_created_at timestamptz(3) not null default now()`);
    this.addSql(`update holds h set order_created_at = o.created_at from orders o where o.id = h.order_id`);
    this.addSql(
      `create index holds_by_reason on holds (reason, order_created_at, order_id) where released_at is null`,
    );
    this.addSql(`create index holds_listing on holds (opened_at, id) where released_at is null`);
    this.addSql(
      `create index holds_reason_listing on holds (reason, opened_at, id) where released_at is null`,
    );
    this.addSql(`
      create table hold_notes (
        id bigserial primary key,
        hold_id text not null,
        note text not null,
        at timestamptz(3) not null default now()
      )
    `);
    this.addSql(`create index hold_notes_hold on hold_notes (hold_id)`);

    this.addSql(`
      alter table supplier_orders add column is_quoted boolean not null default true, add column note text,
        add column order_created_at timestamptz(3) not null default now()
    `);
    this.addSql(
      `update supplier_orders s set order_created_at = o.created_at from orders o where o.id = s.order_id`,
    );
    this.addSql(
      `create index supplier_orders_along_orders on supplier_orders (supplier, order_created_at, order_id)`,
    );
    this.addSql(`create index supplier_orders_by_state on supplier_orders (state, created_at, id)`);
    this.addSql(`create index supplier_orders_by_supplier on supplier_orders (supplier, created_at, id)`);
    this.addSql(
      `create index supplier_orders_reference on supplier_orders (supplier_reference) where supplier_reference is not null`,
    );
    this.addSql(`alter table supplier_order_lines add column properties json`);

    this.addSql(`
      alter table customer_details add column note text,
        add column is_address_ours boolean not null default false,
        add column is_contact_ours boolean not null default false
    `);

    this.addSql(`
      alter table timeline add column supplier_from text, add column supplier_to text,
        add column actor text not null default 'unknown', add column cause text, add column data json
    `);
    this.addSql(`
      create table unit_changes (
        id bigserial primary key,
        order_id text not null,
        line_id text not null,
        message_id text not null,
        cause text not null,
        ordered int not null,
        cancelled int not null,
        at timestamptz(3) not null default now()
      )
    `);
    this.addSql(`create index unit_changes_order on unit_changes (order_id, id)`);

    this.addSql(`
      create table api_requests (
        route text not null,
        key text not null,
        body_hash text not null,
        answer json not null,
        at timestamptz(3) not null default now(),
        primary key (route, key)
      )
    `);
    this.addSql(`create index api_requests_age on api_requests (at)`);
  }
}
