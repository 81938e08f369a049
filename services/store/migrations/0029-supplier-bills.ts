import { Migration } from '@mikro-orm/migrations';

/** Bills for more money come in any order, several for one purchase, and before it is known to be paid. */
export class Migration0029SupplierBills extends Migration {
  override up(): void {
    this.addSql(`
      create table supplier_bills (
        supplier_order_id text not null,
        bill_id text not null,
        amount_minor bigint,
        currency text not null,
        is_open boolean not null,
        is_pending boolean not null default true,
        changed_at timestamptz(3) not null default now(),
        primary key (supplier_order_id, bill_id)
      )
    `);
    this.addSql(
      'create index supplier_bills_pending on supplier_bills (supplier_order_id, bill_id) where is_pending',
    );
  }
}
