/** Who may log in to NATS, by the names of their keys in nats.conf: `orders` is NATS_NKEY_ORDERS there. */
export const NATS_ROLES = [
  'setup',
  'all-in-one',
  'orders',
  'suppliers',
  'shopify',
  'notifier',
  'gateway',
  'crew-reader',
  'crew-writer',
  'sys',
] as const;
export type NatsRole = (typeof NATS_ROLES)[number];

/** The variable of nats.conf that holds the role's public key. */
export const nkeyVariable = (role: NatsRole): string =>
  `NATS_NKEY_${role.replaceAll('-', '_').toUpperCase()}`;

/** The variable of .env that holds the role's seed: the secret half. */
export const seedVariable = (role: NatsRole): string =>
  `NATS_SEED_${role.replaceAll('-', '_').toUpperCase()}`;
