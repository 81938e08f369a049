import { z } from 'zod';

/** Hints to look at the supplier order's row: the row decides, so repeats and late arrivals change nothing. */
export const BUY = 'buy';
export const PAY = 'pay';
export const LOOK_UP = 'look_up';
export const CANCEL = 'cancel';

export const PurchaseCommand = z.object({ orderId: z.string(), supplierOrderId: z.string() });
export type PurchaseCommand = z.infer<typeof PurchaseCommand>;
