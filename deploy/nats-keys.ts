import { NATS_ROLES, seedVariable } from '../contracts/nats-roles.ts';
import { newNatsKeys, publicKeys } from './local/nats-keys.ts';

/**
 * `npm run --silent nats:keys >> .env`: a new key for each role. The public halves are for the NATS server, the seeds are
 * secrets: each service gets its own in NATS_URL, and the agents of the crew get theirs from you.
 */
const keys = newNatsKeys();
const lines = [
  '# NATS: public keys, for the server',
  ...Object.entries(publicKeys(keys)).map(([name, key]) => `${name}=${key}`),
  '# NATS: seeds, secret: each for its own service or agent alone',
  ...NATS_ROLES.map((role) => `${seedVariable(role)}=${keys[role]}`),
];
process.stdout.write(`${lines.join('\n')}\n`);
