import { Migration } from '@mikro-orm/migrations';

/** Who a customer is in the shop, what is to be erased and until when, and the indexes by which it is found. */
export class Migration0011Privacy extends Migration {
  override up(): void {
    this.addSql('alter table customer_details add column customer_id text, add column erase_request bigint');
    this.addSql(
      'create index customer_details_customer on customer_details (customer_id) where customer_id is not null',
    );
    this.addSql(
      'create index customer_details_email on customer_details (lower(email)) where email is not null',
    );
    this.addSql(
      `create index customer_details_to_erase on customer_details (erase_request, order_id)
        where erase_request is not null and redacted_at is null`,
    );
    this.addSql('alter table orders add column erased_at timestamptz(3)');
    this.addSql(
      `update orders o set erased_at = c.redacted_at from customer_details c
        where c.order_id = o.id and c.redacted_at is not null`,
    );
    this.addSql(
      `create index orders_to_erase on orders (created_at)
        where erased_at is null and state in ('delivered', 'cancelled', 'refunded')`,
    );
    this.addSql('create index holds_order on holds (order_id)');
    this.addSql('alter table hold_notes add column order_id text');
    this.addSql('update hold_notes n set order_id = h.order_id from holds h where h.id = n.hold_id');
    this.addSql('create index hold_notes_order on hold_notes (order_id)');
    this.addSql(`create index webhooks_to_empty on webhooks (received_at) where body <> '{}'`);
    this.addSql(
      'alter table privacy_requests add column closed_at timestamptz(3), add column closed_by text',
    );
    this.addSql(
      `update privacy_requests set closed_at = received_at, closed_by = 'erased' where kind <> 'data_requested'`,
    );
    this.addSql(
      `update privacy_requests set due_at = received_at + interval '30 days' where kind <> 'data_requested'`,
    );
    this.addSql(`create index privacy_requests_open on privacy_requests (due_at) where closed_at is null`);
  }
}
