import { z } from 'zod';
import { AppError } from './errors.ts';
import { parseExchangeRates } from './exchange-rates.ts';
import { MailList, MailTellers } from './mail-settings.ts';
import { toMinor } from './money.ts';
import { NatsUrls } from './nats-urls.ts';
import { NOTIFICATION_KINDS } from './vocabulary.ts';

/** Shopify serves these; 2026-10 until 1 October 2027. A retired one would silently be answered by another version. */
export const SHOPIFY_API_VERSIONS = ['2026-01', '2026-04', '2026-07', '2026-10'] as const;
export type ShopifyApiVersion = (typeof SHOPIFY_API_VERSIONS)[number];

const NEWEST_SHOPIFY_VERSION: ShopifyApiVersion = '2026-10';

const servedShopifyVersion = (version: string): ShopifyApiVersion | undefined =>
  SHOPIFY_API_VERSIONS.find((served) => served === version);
const isRetiredShopifyVersion = (version: string): boolean =>
  /^20\d\d-(01|04|07|10)$/.test(version) && version < SHOPIFY_API_VERSIONS[0];

/** The version to call: the one that is set, or the newest where that one is retired. */
export const shopifyVersionOf = ({
  SHOPIFY_API_VERSION: version,
}: Pick<Settings, 'SHOPIFY_API_VERSION'>): ShopifyApiVersion =>
  servedShopifyVersion(version) ?? NEWEST_SHOPIFY_VERSION;

/** About nine million events, and a week of facts for the crew. */
export const STORE_GIGABYTES = 10;

const text = z.string().trim();
const port = z.coerce.number().int().min(1).max(65_535);
const seconds = z.coerce
  .number()
  .min(0)
  .max(30 * 24 * 3_600);
const origin = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));
/** What shop and suppliers call: they take https only. A sandbox on this machine has nothing to encrypt for. */
const calledOrigin = origin.refine(
  (url) => /^https:|^http:\/\/(localhost|127(\.\d+){3}|\[::1\])(:\d+)?(\/|$)/i.test(url),
  'must be an https address',
);
/** Of IPv6 too; a port or a scheme would be taken for a part of the name and fail much later. */
const host = text.regex(
  /^([^\s/:@?#]+|[\da-f.]*:[\da-f.]*:[\da-f:.]*(%\w+)?)$/i,
  'must be a host name or an IP address and nothing else',
);
const mode = z.enum(['off', 'shadow', 'live']);
const days = z.coerce.number().min(0).max(365);
/** Without its # too: in a .env that would begin a comment. */
const colour = text
  .toLowerCase()
  .regex(/^#?[0-9a-f]{6}$/, 'must be a colour like 0b57d0')
  .transform((hex) => (hex.startsWith('#') ? hex : `#${hex}`));
const address = text.regex(/^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/, 'must be one bare mail address');
/** The mailer looks closer; this stops the start before anything has begun. */
const sender = text.regex(
  /^([^<>]*<[^\s@<>]+@[^\s@<>]+>|[^\s@<>,;]+@[^\s@<>,;]+)$/,
  'must be one mail address, or a name with one: My Shop <orders@my-shop.example>',
);
const usd = text.transform((amount, context) => {
  try {
    const minor = toMinor(amount, 'USD');
    if (minor >= 0) return minor;
    throw new RangeError('below zero');
  } catch {
    context.addIssue({ code: 'custom', message: 'must be an amount in US dollars, like 500.00' });
    return z.NEVER;
  }
});
const rates = text.transform((list, context) => {
  try {
    return parseExchangeRates(list);
  } catch {
    const message = 'must be US dollars for one unit of each currency, like EUR=1.08,JPY=0.0067';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
});

const Environment = z.object({
  ORDER_MANAGER_PORT: port.default(8002),
  ORDER_MANAGER_HOST: host.default('0.0.0.0'),
  ORDER_MANAGER_API_KEY: text.min(16, 'must have at least 16 characters').optional(),
  /** For each API key, in each copy of the gateway. */
  ORDER_MANAGER_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).max(1_000_000).default(6_000),
  /** A gateway that is told to stop says so at /readyz and serves on for this long. */
  ORDER_MANAGER_DRAIN_SECONDS: z.coerce.number().min(0).max(4).default(3),
  ORDER_MANAGER_LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARNING', 'ERROR']).default('INFO'),
  /** Folder for log files besides the standard output. */
  ORDER_MANAGER_LOG_DIR: text.optional(),
  /** Where a service answers `/metrics`, `/healthz` and `/readyz` for itself; absent: nowhere. */
  ORDER_MANAGER_METRICS_PORT: port.optional(),
  /** Of an OpenTelemetry collector that takes OTLP over HTTP. */
  OTEL_EXPORTER_OTLP_ENDPOINT: origin.optional(),
  ORDER_MANAGER_GRACE_SECONDS: seconds.default(900),
  ORDER_MANAGER_POLL_SECONDS: seconds.min(0.1).default(900),
  ORDER_MANAGER_RETRY_SECONDS: seconds.min(0.1).default(120),
  ORDER_MANAGER_SWEEP_SECONDS: seconds.min(0.1).default(300),
  ORDER_MANAGER_CALL_TIMEOUT_SECONDS: seconds.min(0.1).default(30),
  ORDER_MANAGER_DOUBT_GRACE_SECONDS: seconds.default(60),
  ORDER_MANAGER_DOUBT_WINDOW_SECONDS: seconds.default(600),
  /** Messages that were published are kept for so long, to fill a NATS again that lost them. */
  ORDER_MANAGER_ARCHIVE_HOURS: z.coerce.number().min(1).max(720).default(24),
  ORDER_MANAGER_COST_TOLERANCE_PERCENT: z.coerce.number().min(0).max(1_000).default(10),
  ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER: usd.optional(),
  ORDER_MANAGER_CAP_PER_SUPPLIER_DAY: usd.optional(),
  /** Which candidate of a mapping is bought: by its priority, by landed cost, or by days of delivery. */
  ORDER_MANAGER_SOURCING_STRATEGY: z.enum(['preferred', 'cheapest', 'fastest']).default('preferred'),
  /** While some lines are held, the others are bought. */
  ORDER_MANAGER_PARTIAL_PURCHASE: z.stringbool().default(false),
  /** Money that is authorised but not captured counts as paid. */
  ORDER_MANAGER_BUY_AUTHORIZED: z.stringbool().default(false),
  /** The least risk that holds an order; `unknown` also holds what the shop has not assessed. */
  ORDER_MANAGER_RISK_HOLD: z.enum(['off', 'high', 'medium', 'unknown']).default('high'),
  /** Of what the customer pays; below it the order is held. */
  ORDER_MANAGER_MARGIN_FLOOR_PERCENT: z.coerce.number().min(-1_000).max(100).optional(),
  ORDER_MANAGER_EXCHANGE_RATES: rates.default({ USD: 1 }),
  ORDER_MANAGER_BRAND_NAME: text.default(''),
  ORDER_MANAGER_LOGO_URL: z.url({ protocol: /^https$/, error: 'must be an https address' }).optional(),
  ORDER_MANAGER_BRAND_COLOR: colour.default('#1f4b99'),
  ORDER_MANAGER_BACKGROUND_COLOR: colour.default('#f4f5f7'),
  ORDER_MANAGER_REPLY_TO: address.optional(),
  ORDER_MANAGER_MAIL_FOOTER: text.default(''),
  ORDER_MANAGER_TEMPLATES_DIR: text.optional(),
  ORDER_MANAGER_DEFAULT_LANGUAGE: text
    .regex(/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/, 'must be the name of a language folder, like en')
    .default('en'),
  ORDER_MANAGER_MAILS: MailList.default(NOTIFICATION_KINDS),
  ORDER_MANAGER_MAILS_BY: MailTellers.default({}),
  ORDER_MANAGER_SHIPPED_MAIL: z.enum(['shipped', 'first_scan']).default('shipped'),
  ORDER_MANAGER_DIGEST_SECONDS: seconds.default(0),
  ORDER_MANAGER_DELIVERY_DAYS: days.default(30),
  ORDER_MANAGER_DELAY_MARGIN_DAYS: days.default(3),
  ORDER_MANAGER_OPERATOR_EMAIL: address.optional(),
  ORDER_MANAGER_OPERATOR_SECONDS: seconds.default(300),
  /** Whole days after an order's end; 0: never. */
  ORDER_MANAGER_RETENTION_DAYS: z.coerce.number().int().min(0).max(36_500).default(180),
  /** Whole days after a webhook; 0: as long as its order's customer is known. */
  ORDER_MANAGER_WEBHOOK_DAYS: z.coerce.number().int().min(0).max(36_500).default(30),
  DB_CONNECTION_STRING: z
    .url({
      protocol: /^postgres(ql)?$/,
      error: 'must be a URL like postgresql://user:password@host:5432/orderdb',
    })
    .optional(),
  NATS_URL: NatsUrls.optional(),
  /** Room for all streams together. */
  NATS_STORE_GIGABYTES: z.coerce.number().min(0.1).max(100_000).default(STORE_GIGABYTES),
  /** Copies of each stream: 1 on one server, 3 in a cluster. */
  NATS_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
  SHOPIFY_SHOP_URL: text
    .transform((shop) =>
      shop
        .replace(/^https?:\/\//, '')
        .replace(/\/+$/, '')
        .toLowerCase(),
    )
    .refine(
      (shop) => /^[a-z0-9][a-z0-9-]*\.(myshopify\.com|shopify\.com|myshopify\.io|shop\.dev)$/.test(shop),
      {
        error: 'must be the shop’s own domain, like your-shop.myshopify.com',
      },
    )
    .optional(),
  SHOPIFY_API_KEY: text.optional(),
  SHOPIFY_API_SECRET: text.optional(),
  /** Accepted besides the present one: for an hour after a rotation Shopify may still sign with it. */
  SHOPIFY_API_SECRET_PREVIOUS: text.optional(),
  SHOPIFY_ACCESS_TOKEN: text.optional(),
  /** As it was set, which may be a retired one; `shopifyVersionOf` says which is called. */
  SHOPIFY_API_VERSION: text
    .refine((version) => servedShopifyVersion(version) !== undefined || isRetiredShopifyVersion(version), {
      error: `must be a version that Shopify serves: ${SHOPIFY_API_VERSIONS.join(', ')}`,
    })
    .default(NEWEST_SHOPIFY_VERSION),
  SHOPIFY_ADMIN_BASE_URL: origin.optional(),
  /** Public address of the gateway: missing webhook subscriptions are made for it. */
  SHOPIFY_WEBHOOK_BASE_URL: calledOrigin.optional(),
  /** Marks orders in the shop by tags that say who fulfilled them. */
  SHOPIFY_ORDER_TAGS: z.stringbool().default(false),
  /** Adds a line to the order's note in the shop for each parcel. */
  SHOPIFY_ORDER_NOTES: z.stringbool().default(false),
  ALIEXPRESS_API_KEY: text.optional(),
  ALIEXPRESS_SECRET: text.optional(),
  ALIEXPRESS_ACCESS_TOKEN: text.optional(),
  ALIEXPRESS_BASE_URL: origin.default('https://api-sg.aliexpress.com'),
  ALIEXPRESS_MODE: mode.default('shadow'),
  /** AliExpress names no rate; more than one call a second has led to bans of hours. */
  ALIEXPRESS_REQUESTS_PER_SECOND: z.coerce.number().min(0.1).max(100_000).default(1),
  /** Asks AliExpress to pay each order at once; it does so only for apps that it has cleared for that. */
  ALIEXPRESS_AUTO_PAY: z.stringbool().default(false),
  CJ_DROPSHIPPING_API_KEY: text.optional(),
  CJ_DROPSHIPPING_EMAIL: text.optional(),
  CJ_DROPSHIPPING_BASE_URL: origin.default('https://developers.cjdropshipping.com/api2.0/v1'),
  CJ_DROPSHIPPING_MODE: mode.default('shadow'),
  /** The free level allows one request a second per account. */
  CJ_DROPSHIPPING_REQUESTS_PER_SECOND: z.coerce.number().min(0.1).max(100_000).default(1),
  /** Orders are marked as CJ's own sandbox orders: they cost and ship nothing. */
  CJ_DROPSHIPPING_SANDBOX_ORDERS: z.stringbool().default(false),
  /** The IOSS number that goods into the European Union travel under: CJ's, none, or the merchant's own. */
  CJ_DROPSHIPPING_IOSS: z
    .union([z.enum(['cj', 'none']), text.regex(/^IM\d{10}$/)], {
      error: 'must be cj, none, or your own number like IM0123456789',
    })
    .default('cj'),
  /** Where the supplier reaches this order manager. */
  CJ_DROPSHIPPING_PUSH_URL: calledOrigin.optional(),
  SMTP_SERVER: host.optional(),
  SMTP_PORT: port.default(587),
  SMTP_USERNAME: text.optional(),
  SMTP_PASSWORD: text.optional(),
  EMAIL_FROM: sender.optional(),
});

/** Every variable that is read, by name. */
export const SETTING_NAMES: readonly string[] = Object.keys(Environment.shape);

/**
 * The environment, checked. Durations are in seconds as their names say, amounts in US cents, URLs without a trailing
 * slash. A variable that is set but empty counts as not set.
 */
export type Settings = z.infer<typeof Environment>;

/** @throws AppError `settings_invalid` whose `fields` name each bad variable. Values are never repeated: they may be secrets. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const result = Environment.safeParse(set);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const detail = fields.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new AppError('settings_invalid', `cannot start: ${detail}`, { retryable: false, fields });
}
