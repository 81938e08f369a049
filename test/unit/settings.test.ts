import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { hasShopifyLogin, isLive, missingParts } from '../../contracts/configured-parts.ts';
import { deadlineDelays } from '../../contracts/deadlines.ts';
import { AppError } from '../../contracts/errors.ts';
import {
  readSettings,
  SETTING_NAMES,
  type Settings,
  SHOPIFY_API_VERSIONS,
  shopifyVersionOf,
} from '../../contracts/settings.ts';
import { purchaseMode, SUPPLIER_VARIABLES } from '../../contracts/supplier-variables.ts';
import { SUPPLIERS } from '../../contracts/vocabulary.ts';
import { toConnectOptions } from '../../services/bus/connection.ts';
import { pushUrlOf } from '../../services/suppliers/push-url.ts';

type Environment = Readonly<Record<string, string>>;

/** Every variable of the user guide with its value there. */
const GUIDE = {
  ORDER_MANAGER_PORT: '8002',
  ORDER_MANAGER_HOST: '0.0.0.0',
  ORDER_MANAGER_API_KEY: 'votre_clé_api_secrète',
  ORDER_MANAGER_LOG_LEVEL: 'INFO',
  DB_CONNECTION_STRING: 'postgresql://username:password@db:5432/orderdb',
  SHOPIFY_SHOP_URL: 'votre-boutique.myshopify.com',
  SHOPIFY_API_KEY: 'votre_api_key_shopify',
  SHOPIFY_API_SECRET: 'votre_api_secret_shopify',
  SHOPIFY_API_VERSION: '2024-01',
  ALIEXPRESS_API_KEY: 'votre_api_key_aliexpress',
  ALIEXPRESS_SECRET: 'votre_secret_aliexpress',
  CJ_DROPSHIPPING_API_KEY: 'votre_api_key_cj',
  CJ_DROPSHIPPING_EMAIL: 'votre_email_cj',
  SMTP_SERVER: 'smtp.example.com',
  SMTP_PORT: '587',
  SMTP_USERNAME: 'votre_username',
  SMTP_PASSWORD: 'votre_password',
  EMAIL_FROM: 'notifications@votreboutique.com',
} as const;

function refusal(environment: Environment): AppError {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}

test.each(Object.entries(GUIDE))("the guide's %s is read as it stands there", (name, value) => {
  const settings: Record<string, unknown> = readSettings(GUIDE);
  expect(String(settings[name])).toBe(value);
});

test("the newest Shopify version is called in the place of the guide's, which is retired", () => {
  expect(shopifyVersionOf(readSettings(GUIDE))).toBe('2026-10');
  for (const version of SHOPIFY_API_VERSIONS)
    expect(shopifyVersionOf(readSettings({ SHOPIFY_API_VERSION: version }))).toBe(version);
});

test.each(['2027-01', '2024-02', 'unstable', 'v1'])(
  '%s is no Shopify version that was ever served',
  (version) => {
    const error = refusal({ ...GUIDE, SHOPIFY_API_VERSION: version });
    expect(error.fields.map(({ path }) => path)).toEqual(['SHOPIFY_API_VERSION']);
    for (const served of SHOPIFY_API_VERSIONS) expect(error.message).toContain(served);
  },
);

test('nothing has to be set', () => {
  const settings = readSettings({});
  expect(settings).toMatchObject({
    ORDER_MANAGER_PORT: 8_002,
    ORDER_MANAGER_HOST: '0.0.0.0',
    ORDER_MANAGER_LOG_LEVEL: 'INFO',
    SHOPIFY_API_VERSION: '2026-10',
    CJ_DROPSHIPPING_MODE: 'shadow',
    ALIEXPRESS_MODE: 'shadow',
    SMTP_PORT: 587,
  });
  expect(settings.DB_CONNECTION_STRING).toBeUndefined();
});

test('no money is spent unless somebody asks for it', () => {
  const settings = readSettings({ CJ_DROPSHIPPING_API_KEY: 'k', ALIEXPRESS_MODE: 'live' });
  expect(purchaseMode(settings, 'cj_dropshipping')).toBe('shadow');
  expect(purchaseMode(settings, 'aliexpress')).toBe('live');
});

test('a variable that is set but empty or blank counts as not set', () => {
  const names = [...Object.keys(GUIDE), 'CJ_DROPSHIPPING_BASE_URL', 'ORDER_MANAGER_CAP_PER_SUPPLIER_DAY'];
  for (const blank of ['', '   ', '\t'])
    expect(readSettings(Object.fromEntries(names.map((name) => [name, blank])))).toEqual(readSettings({}));
});

test('variables that are not ours do not disturb', () => {
  expect(readSettings({ PATH: '/usr/bin', HOME: '/root', ORDER_MANAGER_UNHEARD_OF: 'x' })).toEqual(
    readSettings({}),
  );
});

test('texts lose the blanks around them, origins their last slash, shops their scheme and capitals', () => {
  const settings = readSettings({
    SHOPIFY_API_SECRET: ' secret ',
    CJ_DROPSHIPPING_BASE_URL: 'http://127.0.0.1:9000/api//',
    SHOPIFY_SHOP_URL: 'https://My-Shop.MyShopify.com/',
  });
  expect(settings.SHOPIFY_API_SECRET).toBe('secret');
  expect(settings.CJ_DROPSHIPPING_BASE_URL).toBe('http://127.0.0.1:9000/api');
  expect(settings.SHOPIFY_SHOP_URL).toBe('my-shop.myshopify.com');
});

test('caps are read as cents', () => {
  expect(
    readSettings({ ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER: '500.5' }).ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER,
  ).toBe(50_050);
});

test('a cap below zero is refused, one of nothing stops all buying', () => {
  expect(refusal({ ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER: '-5' }).fields).toHaveLength(1);
  const settings = readSettings({ ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER: '0' });
  expect(settings.ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER).toBe(0);
});

const MARK = 'zz-5ecret-zz';

/** Values that must stop the start; each carries the mark, so that a repetition is seen. */
const BAD: Environment = {
  ORDER_MANAGER_PORT: MARK,
  ORDER_MANAGER_HOST: `http://${MARK}`,
  ORDER_MANAGER_API_KEY: MARK,
  ORDER_MANAGER_LOG_LEVEL: MARK,
  ORDER_MANAGER_GRACE_SECONDS: MARK,
  ORDER_MANAGER_POLL_SECONDS: `${MARK}1`,
  ORDER_MANAGER_RETRY_SECONDS: MARK,
  ORDER_MANAGER_CALL_TIMEOUT_SECONDS: MARK,
  ORDER_MANAGER_DOUBT_GRACE_SECONDS: MARK,
  ORDER_MANAGER_DOUBT_WINDOW_SECONDS: MARK,
  ORDER_MANAGER_COST_TOLERANCE_PERCENT: MARK,
  ORDER_MANAGER_CAP_PER_SUPPLIER_ORDER: `5.${MARK}`,
  ORDER_MANAGER_CAP_PER_SUPPLIER_DAY: MARK,
  ORDER_MANAGER_DEFAULT_LANGUAGE: `../${MARK}`,
  ORDER_MANAGER_LOGO_URL: `http://${MARK}`,
  ORDER_MANAGER_BRAND_COLOR: MARK,
  ORDER_MANAGER_BACKGROUND_COLOR: `#${MARK}`,
  ORDER_MANAGER_REPLY_TO: `Shop <${MARK}@shop.example>`,
  ORDER_MANAGER_MAILS: `order_confirmed,${MARK}`,
  ORDER_MANAGER_MAILS_BY: `parcel_shipped=${MARK}`,
  ORDER_MANAGER_SHIPPED_MAIL: MARK,
  ORDER_MANAGER_DIGEST_SECONDS: MARK,
  ORDER_MANAGER_DELIVERY_DAYS: MARK,
  ORDER_MANAGER_DELAY_MARGIN_DAYS: MARK,
  ORDER_MANAGER_OPERATOR_EMAIL: MARK,
  ORDER_MANAGER_OPERATOR_SECONDS: MARK,
  DB_CONNECTION_STRING: `mysql://user:${MARK}@db/orderdb`,
  NATS_URL: `nats://nats-1:4222,http://${MARK}@nats-2:4222`,
  SHOPIFY_SHOP_URL: `${MARK}.example.com`,
  SHOPIFY_API_VERSION: MARK,
  SHOPIFY_WEBHOOK_BASE_URL: `http://${MARK}.example`,
  SHOPIFY_ADMIN_BASE_URL: `ftp://${MARK}`,
  ALIEXPRESS_BASE_URL: MARK,
  ALIEXPRESS_MODE: MARK,
  ALIEXPRESS_REQUESTS_PER_SECOND: MARK,
  ALIEXPRESS_AUTO_PAY: MARK,
  CJ_DROPSHIPPING_BASE_URL: MARK,
  CJ_DROPSHIPPING_MODE: MARK,
  CJ_DROPSHIPPING_PUSH_URL: `http://${MARK}.example`,
  SMTP_SERVER: `smtp://${MARK}.example`,
  SMTP_PORT: MARK,
  EMAIL_FROM: `Shop ${MARK}`,
};

test.each(Object.entries(BAD))(
  'a bad %s stops the start with its name and without its value',
  (name, value) => {
    const error = refusal({ [name]: value });
    expect(error.code).toBe('settings_invalid');
    expect(error.retryable).toBe(false);
    expect(error.fields.map(({ path }) => path)).toEqual([name]);
    expect(error.message).toContain(name);
    for (const shown of [error.message, error.stack, JSON.stringify(error), String(error.cause)])
      expect(shown).not.toContain(MARK);
  },
);

test('several bad values are named together', () => {
  const error = refusal({
    ...GUIDE,
    ORDER_MANAGER_PORT: '70000',
    SMTP_PORT: '0',
    CJ_DROPSHIPPING_MODE: 'on',
  });
  expect(error.fields.map(({ path }) => path).sort()).toEqual([
    'CJ_DROPSHIPPING_MODE',
    'ORDER_MANAGER_PORT',
    'SMTP_PORT',
  ]);
});

test.each(['0', '65536', '80.5', '-1', 'http'])('"%s" is no port', (port) => {
  expect(refusal({ ORDER_MANAGER_PORT: port }).fields).toHaveLength(1);
});

const OF_THE_REAL_WORLD: Environment = {
  SHOPIFY_SHOP_URL: 'my-shop.myshopify.com',
  SHOPIFY_API_KEY: 'k',
  SHOPIFY_API_SECRET: 's',
  SHOPIFY_ACCESS_TOKEN: 't',
  ALIEXPRESS_API_KEY: 'k',
  ALIEXPRESS_SECRET: 's',
  ALIEXPRESS_ACCESS_TOKEN: 't',
  CJ_DROPSHIPPING_API_KEY: 'k',
  CJ_DROPSHIPPING_EMAIL: 'shop@example.com',
};

test.each(Object.entries(OF_THE_REAL_WORLD))('%s alone means the real world', (name, value) => {
  expect(isLive(readSettings({ [name]: value }))).toBe(true);
});

test('what is needed in both worlds does not mean the real one', () => {
  const { SHOPIFY_API_VERSION, ORDER_MANAGER_API_KEY, DB_CONNECTION_STRING, SMTP_SERVER, EMAIL_FROM } = GUIDE;
  const both = { SHOPIFY_API_VERSION, ORDER_MANAGER_API_KEY, DB_CONNECTION_STRING, SMTP_SERVER, EMAIL_FROM };
  const origins = {
    CJ_DROPSHIPPING_BASE_URL: 'http://127.0.0.1:9',
    SHOPIFY_ADMIN_BASE_URL: 'http://127.0.0.1:9',
  };
  expect(isLive(readSettings({ ...both, ...origins, CJ_DROPSHIPPING_MODE: 'live' }))).toBe(false);
  expect(isLive(readSettings({ SHOPIFY_API_KEY: ' ' }))).toBe(false);
});

/** Of those suppliers that the guide names: more may have been added. */
const GUIDE_SUPPLIERS = ['AliExpress', 'CJ Dropshipping'];
const isOfGuide = (part: string): boolean =>
  !SUPPLIERS.map((supplier) => SUPPLIER_VARIABLES[supplier].label)
    .filter((label) => !GUIDE_SUPPLIERS.includes(label))
    .some((label) => part.startsWith(`${label} is off`));
const missingOf = (settings: Settings): string[] => missingParts(settings).filter(isOfGuide);

test('all parts are there when everything is set', () => {
  expect(missingOf(readSettings(GUIDE))).toEqual([]);
});

test('each part that is off names what it lacks', () => {
  expect(missingOf(readSettings({}))).toEqual([
    'Shopify webhooks are off: SHOPIFY_SHOP_URL, SHOPIFY_API_SECRET not set',
    'Writing to the shop is off: SHOPIFY_SHOP_URL, SHOPIFY_API_SECRET, SHOPIFY_ACCESS_TOKEN (or SHOPIFY_API_KEY) not set',
    'AliExpress is off: ALIEXPRESS_API_KEY, ALIEXPRESS_SECRET not set',
    'CJ Dropshipping is off: CJ_DROPSHIPPING_API_KEY not set',
    'Mail to customers is off: SMTP_SERVER, EMAIL_FROM not set',
  ]);
});

const without = (...names: readonly string[]): Settings => {
  const all: Record<string, string> = { ...GUIDE };
  return readSettings(Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name))));
};

const LACKING: readonly [readonly string[], readonly string[]][] = [
  [['SMTP_SERVER'], ['Mail to customers is off: SMTP_SERVER not set']],
  [['EMAIL_FROM'], ['Mail to customers is off: EMAIL_FROM not set']],
  [['SMTP_USERNAME', 'SMTP_PASSWORD'], []],
  [['CJ_DROPSHIPPING_EMAIL'], []],
  [['CJ_DROPSHIPPING_API_KEY'], ['CJ Dropshipping is off: CJ_DROPSHIPPING_API_KEY not set']],
  [['ALIEXPRESS_SECRET'], ['AliExpress is off: ALIEXPRESS_SECRET not set']],
  [['SHOPIFY_API_KEY'], ['Writing to the shop is off: SHOPIFY_ACCESS_TOKEN (or SHOPIFY_API_KEY) not set']],
];

test.each(LACKING)('without %j: %j', (names, parts) => {
  expect(missingOf(without(...names))).toEqual(parts);
});

test('an existing token replaces the client id', () => {
  const { SHOPIFY_SHOP_URL, SHOPIFY_API_SECRET } = GUIDE;
  const settings = readSettings({ SHOPIFY_SHOP_URL, SHOPIFY_API_SECRET, SHOPIFY_ACCESS_TOKEN: 't' });
  expect(hasShopifyLogin(settings)).toBe(true);
  expect(missingParts(settings).filter((part) => /hop/.test(part) && !/CJ/.test(part))).toEqual([]);
});

test('with a token and without the secret only the secret is named as missing', () => {
  const settings = readSettings({ SHOPIFY_SHOP_URL: GUIDE.SHOPIFY_SHOP_URL, SHOPIFY_ACCESS_TOKEN: 't' });
  expect(missingParts(settings)).toContain('Writing to the shop is off: SHOPIFY_API_SECRET not set');
});

test('missing parts never show a value', () => {
  expect(missingParts(readSettings({ SHOPIFY_API_SECRET: MARK })).join()).not.toContain(MARK);
});

test('waits follow the settings, and a call that hangs is given up before its placing is doubted', () => {
  const settings = readSettings({
    ORDER_MANAGER_GRACE_SECONDS: '0',
    ORDER_MANAGER_RETRY_SECONDS: '0.5',
    ORDER_MANAGER_DOUBT_GRACE_SECONDS: '7',
    ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '20',
  });
  const delays = deadlineDelays(settings);
  expect(delays).toMatchObject({ grace: 0, sourcing: 500, buy: 500, pay: 500, fulfill: 500, look_up: 7_000 });
  expect(delays.placing).toBeGreaterThan(20_000);
});

test('the example environment names every variable, and each of its values is accepted', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const example = parseEnv(text);
  expect(Object.keys(example).sort()).toEqual([...SETTING_NAMES].sort());
  expect(() => readSettings(example)).not.toThrow();
  expect(isLive(readSettings(example))).toBe(false);
});

test('the values of the example are the same to whoever reads them: nothing of them is a comment or wants quotes', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const asWritten = [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
  expect(Object.fromEntries(asWritten)).toEqual(parseEnv(text));
  expect(text).toContain("like SMTP_PASSWORD='ab#cd'");
  expect(parseEnv("SMTP_PASSWORD='ab#cd'")).toEqual({ SMTP_PASSWORD: 'ab#cd' });
});

test.each(['0.0.0.0', '127.0.0.1', '::', '::1', 'fe80::1%eth0', 'localhost', 'mail', 'smtp.müller.example'])(
  'a host may be %s',
  (host) => {
    const settings = readSettings({ ORDER_MANAGER_HOST: host, SMTP_SERVER: host });
    expect([settings.ORDER_MANAGER_HOST, settings.SMTP_SERVER]).toEqual([host, host]);
  },
);

test.each(['127.0.0.1:8002', 'smtp.example.com:587', 'a host', 'user@host', 'host/path'])(
  'no host is %s',
  (host) => {
    const { fields } = refusal({ ORDER_MANAGER_HOST: host, SMTP_SERVER: host });
    expect(fields.map(({ path }) => path)).toEqual(['ORDER_MANAGER_HOST', 'SMTP_SERVER']);
  },
);

test('whom shop and suppliers shall call has an https address, but for a sandbox on this machine', () => {
  const read = (url: string) =>
    readSettings({ SHOPIFY_WEBHOOK_BASE_URL: url, CJ_DROPSHIPPING_PUSH_URL: url }).SHOPIFY_WEBHOOK_BASE_URL;
  for (const url of [
    'https://orders.shop.example',
    'http://127.0.0.1:8002',
    'http://localhost',
    'http://[::1]:1',
  ])
    expect(read(url)).toBe(url);
  expect(() => read('http://localhost.example')).toThrow(
    /SHOPIFY_WEBHOOK_BASE_URL.+CJ_DROPSHIPPING_PUSH_URL/,
  );
});

test.each(['orders@shop.example', 'My Shop <orders@shop.example>', '"Shop, Ltd." <orders@shop.example>'])(
  'mails may come from %s',
  (from) => {
    expect(readSettings({ EMAIL_FROM: from }).EMAIL_FROM).toBe(from);
  },
);

test('a colour is the same with and without its #', () => {
  const read = (colour: string) =>
    readSettings({ ORDER_MANAGER_BRAND_COLOR: colour }).ORDER_MANAGER_BRAND_COLOR;
  expect(read('1F4B99')).toBe('#1f4b99');
  expect(read('#1f4b99')).toBe('#1f4b99');
});

test('the address for pushes is below the public one, and none without it or for a supplier that has none', () => {
  const settings = readSettings({ CJ_DROPSHIPPING_PUSH_URL: 'https://orders.shop.example/' });
  expect(pushUrlOf(settings, 'cj_dropshipping')).toBe('https://orders.shop.example/webhooks/cj');
  expect(pushUrlOf(settings, 'aliexpress')).toBeNull();
  expect(pushUrlOf(readSettings({}), 'cj_dropshipping')).toBeNull();
});

test.each([
  ['127.0.0.1:4222', ['nats://127.0.0.1:4222']],
  ['nats-1:4222, nats-2:4222', ['nats://nats-1:4222', 'nats://nats-2:4222']],
  ['tls://user:word@nats:4222', ['tls://nats:4222']],
  ['nats://[::1]:4222/', ['nats://[::1]:4222']],
])('NATS is reached at %s', (NATS_URL, servers) => {
  expect(toConnectOptions(readSettings({ NATS_URL }).NATS_URL ?? '').servers).toEqual(servers);
});
