import { z } from 'zod';
import { Evidence, NotificationKind } from '../vocabulary.ts';

export const NOTIFICATION_SENT = 'notification.sent';
export const NotificationSent = z.object({
  orderId: z.string(),
  notificationId: z.string(),
  kind: NotificationKind,
});
export type NotificationSent = z.infer<typeof NotificationSent>;

/** It will not be sent by itself any more; `doubt` says that it may have been. */
export const NOTIFICATION_FAILED = 'notification.failed';
export const NotificationFailed = z.object({
  orderId: z.string(),
  notificationId: z.string(),
  kind: NotificationKind,
  doubt: z.boolean(),
  evidence: Evidence,
});
export type NotificationFailed = z.infer<typeof NotificationFailed>;
