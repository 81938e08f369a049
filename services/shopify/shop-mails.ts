import { mailedBy } from '../../contracts/mail-settings.ts';
import type { Settings } from '../../contracts/settings.ts';

/** Whether the shop is to mail the customer what becomes of a parcel: never, as long as we do. */
export const shopMailsParcels = (
  settings: Pick<Settings, 'ORDER_MANAGER_MAILS' | 'ORDER_MANAGER_MAILS_BY'>,
): boolean => mailedBy(settings, 'parcel_shipped') === 'shop';
