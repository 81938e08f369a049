import { fileURLToPath } from 'node:url';
import { SEND_NOTIFICATION, SendNotification } from '../../contracts/commands/send-notification.ts';
import type { Settings } from '../../contracts/settings.ts';
import { startPeriodic } from '../periodic.ts';
import type { ServiceContext, StopService } from '../run-service.ts';
import { DONE, handling, serveCommands } from '../serve-commands.ts';
import { brandOf, domainIn } from './brand.ts';
import type { Writer } from './customer-mail.ts';
import { mailRounds } from './mail-rounds.ts';
import { createMailer, type Mailer } from './mailer.ts';
import { decideOperatorMails } from './operator-round.ts';
import { type NotifierPorts, sendDue, sendNotification } from './send-notification.ts';
import { loadTemplates } from './templates.ts';

const TEMPLATES = fileURLToPath(new URL('../../templates', import.meta.url));
/** More than there are connections to the mail server: those at the same point share a transaction. */
const CONCURRENCY = 16;

function mailerOf(settings: Settings): Mailer | undefined {
  const { SMTP_SERVER: host, EMAIL_FROM: from } = settings;
  if (host === undefined || from === undefined) return undefined;
  return createMailer({
    host,
    port: settings.SMTP_PORT,
    ...(settings.SMTP_USERNAME === undefined ? {} : { username: settings.SMTP_USERNAME }),
    ...(settings.SMTP_PASSWORD === undefined ? {} : { password: settings.SMTP_PASSWORD }),
    from,
    replyTo: settings.ORDER_MANAGER_REPLY_TO,
    timeoutMs: settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 1_000,
    // Both together stay below the time after which a row still `sending` belongs to a dead process.
    turnTimeoutMs: settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 1_000,
  });
}

/** Ours, with the shop's own in their place. @throws AppError `template_invalid` with file and name. */
export const writerOf = async (settings: Settings): Promise<Writer> => {
  const defaultLanguage = settings.ORDER_MANAGER_DEFAULT_LANGUAGE;
  const ownFolder = settings.ORDER_MANAGER_TEMPLATES_DIR;
  return {
    templates: await loadTemplates(TEMPLATES, { defaultLanguage, ownFolder }),
    brand: brandOf(settings),
    defaultLanguage,
  };
};

/** Tells customer and operator, each fact once. */
export async function startNotifier(context: ServiceContext): Promise<StopService> {
  const { settings, store, log } = context;
  const writer = await writerOf(settings);
  const mailer = mailerOf(settings);
  const domain = domainIn(settings.EMAIL_FROM ?? '');
  const mails = { ...context, ...writer, mailer, domain };
  const ports: NotifierPorts = { ...mails, ...mailRounds(mails) };
  const consumer = await serveCommands(context, 'notifier', CONCURRENCY, {
    [SEND_NOTIFICATION]: handling(SendNotification, async ({ notificationId }) => {
      await sendNotification(ports, notificationId);
      return DONE;
    }),
  });
  const stopping = new AbortController();
  const rounds = [startPeriodic('mails due', 2_000, log, () => sendDue(ports, stopping.signal))];
  // Decided without a mail server, they would be skipped, and what they tell of would never be told.
  if (mailer !== undefined) {
    const decide = () => decideOperatorMails(store, settings);
    rounds.push(startPeriodic('mails to the operator', 5_000, log, decide));
  }
  return async () => {
    stopping.abort();
    await Promise.all([consumer.stop(), ...rounds.map((round) => round.stop())]);
    await mailer?.close();
  };
}
