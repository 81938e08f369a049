import { z } from 'zod';
import { AppError } from '../contracts/errors.ts';
import { Instant } from '../contracts/resources/list-query.ts';

/** A place in a list that goes from new to old: everything after it is older, or as old with a smaller id. */
export interface Place {
  readonly createdAt: Date;
  readonly id: string;
}

export interface Page<T> {
  readonly items: T[];
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

/** @param found one row more than `limit` when there is a next page. @param cursorOf a row: the place behind it. */
export function cutPage<T>(found: readonly T[], limit: number, cursorOf: (last: T) => string): Page<T> {
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return { items, nextCursor: last === undefined ? null : cursorOf(last) };
}

/** A page of what goes from new to old. */
export const toPage = <T extends Place>(found: readonly T[], limit: number): Page<T> =>
  cutPage(found, limit, toCursor);
