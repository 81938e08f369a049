import { Migration } from '@mikro-orm/migrations';

/** Which version of the machines an event was told to: an order may have been in the hands of several. */
export class Migration0042ToldToMachines extends Migration {
  override up(): void {
    this.addSql('alter table timeline add column machine_version int');
  }
}
