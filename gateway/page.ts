import { z } from 'zod';
import { AppError } from '../contracts/errors.ts';
import { Instant } from '../contracts/resources/list-query.ts';

/** A place in a list that goes from new to old: everything after it is older, or as old with a smaller id. */
export interface Place {
  readonly createdAt: Date;
  readonly id: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Of what is stuck the id has its kind before it. */
const Cursor = z.tuple([Instant, z.string().regex(/^\w{1,100}$/)]);

export const toCursor = ({ createdAt, id }: Place): string =>
  Buffer.from(JSON.stringify([createdAt.toISOString(), id])).toString('base64url');

/** @throws AppError `body_invalid` for what is no cursor of ours. */
export function fromCursor(cursor: string): Place {
  try {
    const [createdAt, id] = Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { createdAt: new Date(createdAt), id };
  } catch (cause) {
    const fields = [{ path: 'cursor', message: 'must be the nextCursor of an earlier answer' }];
    throw new AppError('body_invalid', 'the query is not as it must be', { retryable: false, cause, fields });
  }
}

/** @param found one row more than `limit` when there is a next page. */
export function toPage<T extends Place>(found: readonly T[], limit: number): Page<T> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: found.length > limit && last !== undefined ? toCursor(last) : null };
}
