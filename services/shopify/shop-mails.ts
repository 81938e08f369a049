import type { Settings } from '../../contracts/settings.ts';

/** Whether the shop is to mail the customer what becomes of a parcel: never, as long as we do. */
export const shopMailsParcels = (settings: Pick<Settings, 'ORDER_MANAGER_MAILS_BY'>): boolean =>
  settings.ORDER_MANAGER_MAILS_BY === 'shop';
