import { createHash, randomBytes } from 'node:crypto';
import type { Scope } from '../../contracts/resources/api-key.ts';
import type { Sql } from './store.ts';

export interface StoredKey {
  readonly id: string;
  readonly name: string;
  readonly digest: string;
  readonly scope: Scope;
  readonly createdAt: string;
  readonly revokedAt: string | null;
}

const COLUMNS = `id, name, digest, scope, created_at::text as "createdAt", revoked_at::text as "revokedAt"`;

/** `omk_<id>_<secret>`: the id finds the row, the digest of the whole decides. */
const KEY = /^omk_([0-9a-f]{12})_[\w-]{43}$/;

export const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest();

/** The row that a key claims to be of; undefined for what is no key of ours, is unknown or was revoked. */
export async function findKey(sql: Sql, key: string): Promise<StoredKey | undefined> {
  const id = KEY.exec(key)?.[1];
  if (id === undefined) return undefined;
  const [row] = await sql.query<StoredKey>(
    `select ${COLUMNS} from api_keys where id = $1 and revoked_at is null`,
    [id],
  );
  return row;
}

/** Makes a key and answers it: it is kept nowhere. Undefined when a living key has the name already. */
export async function addKey(sql: Sql, name: string, scope: Scope): Promise<string | undefined> {
  const id = randomBytes(6).toString('hex');
  const key = `omk_${id}_${randomBytes(32).toString('base64url')}`;
  const added = await sql.run(
    `insert into api_keys (id, name, digest, scope) values ($1, $2, $3, $4)
     on conflict (name) where revoked_at is null do nothing`,
    [id, name, digestOf(key).toString('hex'), scope],
  );
  return added === 1 ? key : undefined;
}

export const listKeys = (sql: Sql): Promise<StoredKey[]> =>
  sql.query<StoredKey>(`select ${COLUMNS} from api_keys order by created_at, id`);

/** False when no living key has the name. */
export const revokeKey = async (sql: Sql, name: string): Promise<boolean> =>
  (await sql.run('update api_keys set revoked_at = now() where name = $1 and revoked_at is null', [name])) ===
  1;
