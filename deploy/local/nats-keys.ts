import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nkeys } from 'nats';
import { z } from 'zod';
import { NATS_ROLES, type NatsRole, nkeyVariable } from '../../contracts/nats-roles.ts';

/** The seed of each role: the secret half of its key. */
export type NatsKeys = Readonly<Record<NatsRole, string>>;

const Keys = z.record(z.enum(NATS_ROLES), z.string().regex(/^SU[A-Z2-7]{56}$/, 'must be the seed of a user'));

const newSeed = (): string => new TextDecoder().decode(nkeys.createUser().getSeed());

/** A new key for each role. */
export const newNatsKeys = (): NatsKeys =>
  Keys.parse(Object.fromEntries(NATS_ROLES.map((role) => [role, newSeed()])));

/** Keys that are made once and kept in a file that only its owner can read; roles added since get theirs. */
export async function keptNatsKeys(file: string): Promise<NatsKeys> {
  const kept = await readFile(file, 'utf8').catch(() => '{}');
  const keys = Keys.parse({ ...newNatsKeys(), ...z.record(z.string(), z.string()).parse(JSON.parse(kept)) });
  const text = JSON.stringify(keys);
  if (text === kept) return keys;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o600 });
  return keys;
}

/** What nats.conf has to know: the public halves, by the names of their variables. */
export const publicKeys = (keys: NatsKeys): Record<string, string> =>
  Object.fromEntries(
    NATS_ROLES.map((role) => [
      nkeyVariable(role),
      nkeys.fromSeed(new TextEncoder().encode(keys[role])).getPublicKey(),
    ]),
  );
