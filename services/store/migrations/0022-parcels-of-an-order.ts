import { Migration } from '@mikro-orm/migrations';

/** Mails and the shop's holds ask for the parcels of an order: without this all parcels that ever were are gone through. */
export class Migration0022ParcelsOfAnOrder extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('create index concurrently if not exists parcels_order on parcels (order_id)');
  }
}
