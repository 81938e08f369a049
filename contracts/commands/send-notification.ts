import { z } from 'zod';

/** Notifier: send this mail, whose row is already written. The row decides. */
export const SEND_NOTIFICATION = 'send';
export const SendNotification = z.object({ orderId: z.string(), notificationId: z.string() });
export type SendNotification = z.infer<typeof SendNotification>;
