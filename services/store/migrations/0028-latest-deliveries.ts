import { Migration } from '@mikro-orm/migrations';

/** How long a supplier's parcels take is told from the latest ones: without this all that ever arrived are gone through. */
export class Migration0028LatestDeliveries extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(
      `create index concurrently if not exists parcels_delivered on parcels (entered_at) where state = 'delivered'`,
    );
  }
}
