import { Migration } from '@mikro-orm/migrations';

/** What settling dead letters needs, and when each state was entered, so that what waits too long is found. */
export class Migration0008DeadLetters extends Migration {
  override up(): void {
    this.addSql(`
      alter table dead_letters add column kind text not null default 'event',
        add column reason text not null default 'impossible', add column attempts int not null default 1,
        add column settled_at timestamptz(3)
    `);
    this.addSql(`update dead_letters set kind = 'command', reason = 'failed' where subject like 'oms.cmd.%'`);
    this.addSql(`update dead_letters set reason = 'unreadable' where message_id like 'unreadable:%'`);
    this.addSql(`update dead_letters set attempts = 0 where state = 'parked'`);
    this.addSql(
      `create index dead_letters_by_reason on dead_letters (reason, attempts, id) where state = 'open'`,
    );
    this.addSql(`create index dead_letters_command on dead_letters (subject) where kind = 'command'`);
    this.addSql(`create index dead_letters_order on dead_letters (order_id, id)`);
    this.addSql(`
      create table dead_letter_requests (
        id text not null,
        letter_id bigint not null,
        action text not null,
        by text not null,
        note text,
        data json,
        at timestamptz(3) not null default now(),
        primary key (id)
      )
    `);
    this.addSql(`create index dead_letter_requests_letter on dead_letter_requests (letter_id)`);

    for (const table of ['orders', 'supplier_orders', 'parcels'])
      this.addSql(`alter table ${table} add column entered_at timestamptz(3) not null default now()`);
    // Nobody remembers when a state was entered before this column; the last change is the latest it can have been.
    this.addSql(
      `update orders set entered_at = updated_at where state not in ('delivered', 'cancelled', 'refunded')`,
    );
    this.addSql(
      `update supplier_orders set entered_at = updated_at
        where state not in ('delivered', 'rejected', 'cancelled', 'lapsed')`,
    );
    this.addSql(
      `update parcels set entered_at = updated_at where state not in ('delivered', 'lost', 'returned')`,
    );
    this.addSql(
      `create index orders_waiting on orders (state, entered_at)
        where state not in ('delivered', 'cancelled', 'refunded')`,
    );
    this.addSql(
      `create index supplier_orders_waiting on supplier_orders (state, entered_at)
        where state not in ('delivered', 'rejected', 'cancelled', 'lapsed')`,
    );
    this.addSql(
      `create index parcels_waiting on parcels (state, entered_at)
        where state not in ('delivered', 'lost', 'returned')`,
    );
    this.addSql(
      `create index parcels_to_fulfill on parcels (left_at)
        where left_at is not null and coalesce(fulfillment_state, '') not in ('done', 'withheld')`,
    );
  }
}
