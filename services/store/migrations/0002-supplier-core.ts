import { Migration } from '@mikro-orm/migrations';

/** What all copies know of a supplier's account, the kill switch, the one repetition of a doubtful purchase, and strays. */
export class Migration0002SupplierCore extends Migration {
  override up(): void {
    this.addSql(`
      alter table supplier_accounts
        add column paused_until timestamptz(3),
        add column quota_remaining double precision,
        add column quota_total double precision,
        add column balance_minor bigint,
        add column balance_currency text,
        add column last_success_at timestamptz(3),
        add column last_failure_at timestamptz(3),
        add column last_failure_class text
    `);
    this.addSql(`
      alter table purchase_intents
        add column repeats int not null default 0,
        add column deferrals int not null default 0
    `);
    this.addSql(`
      create table purchasing_pauses (
        scope text not null,
        cause text not null,
        reason text not null,
        paused_at timestamptz(3) not null default now(),
        primary key (scope)
      )
    `);
    this.addSql(`
      create table supplier_calls (
        supplier text not null,
        operation text not null,
        outcome text not null,
        calls bigint not null,
        seconds double precision not null,
        primary key (supplier, operation, outcome)
      ) with (fillfactor = 70)
    `);
    this.addSql(`
      create table supplier_breakers (
        copy text not null,
        supplier text not null,
        state text not null,
        seen_at timestamptz(3) not null default now(),
        primary key (copy, supplier)
      ) with (fillfactor = 70)
    `);
    this.addSql(`
      create table stray_supplier_orders (
        supplier text not null,
        reference text not null,
        topic text not null,
        seen_at timestamptz(3) not null default now(),
        read_at timestamptz(3),
        found json,
        primary key (supplier, reference)
      )
    `);
    // One supplier order may stand behind several orders at the supplier: its reference lists them.
    this.addSql(
      `create index supplier_orders_references on supplier_orders using gin (string_to_array(supplier_reference, ','))`,
    );
  }
}
