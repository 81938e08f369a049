import { fileURLToPath } from 'node:url';
import { SEND_NOTIFICATION, SendNotification } from '../../contracts/commands/send-notification.ts';
import type { Settings } from '../../contracts/settings.ts';
import { startPeriodic } from '../periodic.ts';
import type { ServiceContext, StopService } from '../run-service.ts';
import { DONE, handling, serveCommands } from '../serve-commands.ts';
import { createMailer, type Mailer } from './mailer.ts';
import { type NotifierPorts, sendDue, sendNotification } from './send-notification.ts';
import { loadTemplates } from './templates.ts';

const TEMPLATES = fileURLToPath(new URL('../../templates', import.meta.url));
const CONCURRENCY = 5;

function mailerOf(settings: Settings): Mailer | undefined {
  const { SMTP_SERVER: host, EMAIL_FROM: from } = settings;
  if (host === undefined || from === undefined) return undefined;
  return createMailer({
    host,
    port: settings.SMTP_PORT,
    ...(settings.SMTP_USERNAME === undefined ? {} : { username: settings.SMTP_USERNAME }),
    ...(settings.SMTP_PASSWORD === undefined ? {} : { password: settings.SMTP_PASSWORD }),
    from,
    timeoutMs: settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 1_000,
  });
}

/** The bare address in `Shop <mail@shop.example>`. */
const addressIn = (from: string): string => /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from;

/** Tells the customer, each fact once. */
export async function startNotifier(context: ServiceContext): Promise<StopService> {
  const { settings, log } = context;
  const mailer = mailerOf(settings);
  const address = addressIn(settings.EMAIL_FROM ?? '');
  const ports: NotifierPorts = {
    ...context,
    mailer,
    templates: await loadTemplates(TEMPLATES, settings.ORDER_MANAGER_DEFAULT_LANGUAGE),
    brand: {
      name: settings.ORDER_MANAGER_BRAND_NAME || (settings.SHOPIFY_SHOP_URL?.split('.')[0] ?? 'Your shop'),
      supportEmail: address,
      defaultLanguage: settings.ORDER_MANAGER_DEFAULT_LANGUAGE,
    },
    domain: address.split('@')[1] ?? 'order-manager.invalid',
  };
  const consumer = await serveCommands(context, 'notifier', CONCURRENCY, {
    [SEND_NOTIFICATION]: handling(SendNotification, async ({ notificationId }) => {
      await sendNotification(ports, notificationId);
      return DONE;
    }),
  });
  const stopping = new AbortController();
  const due = startPeriodic('mails due', 2_000, log, () => sendDue(ports, stopping.signal));
  return async () => {
    stopping.abort();
    await Promise.all([consumer.stop(), due.stop()]);
    await mailer?.close();
  };
}
