import { assertBodySize, type H3Event, HTTPError } from 'h3';
import type { z } from 'zod';
import { AppError, type FieldProblem } from '../contracts/errors.ts';
import { isStorable } from '../services/store/storable.ts';
import { refusal } from './problem.ts';

const JSON_LIMIT_BYTES = 1_000_000;

export const fieldsOf = (error: z.ZodError, whole: string): FieldProblem[] =>
  error.issues.map(({ path, message }) => ({ path: path.join('.') || whole, message }));

/** Nothing that we are told goes so deep; what walks without end through a value would find the end of the stack. */
const DEEPEST = 100;

/** What no database takes: a text with a NUL or with half of a surrogate pair, or what is nested too deep. */
function unstorable(value: unknown, whole: string, path: readonly string[] = []): FieldProblem[] {
  const fault = (message: string, at = path): FieldProblem[] => [{ path: at.join('.') || whole, message }];
  if (typeof value === 'string')
    return isStorable(value) ? [] : fault('must not hold a NUL character or half of a surrogate pair');
  if (typeof value !== 'object' || value === null) return [];
  if (path.length === DEEPEST) return fault(`must not be nested deeper than ${DEEPEST}`, path.slice(0, 1));
  return Object.entries(value).flatMap(([name, field]) => [
    ...unstorable(name, whole, path),
    ...unstorable(field, whole, [...path, name]),
  ]);
}

/** @param whole what of the request it is about: body, path or query. */
export const invalid = (whole: string, fields: readonly FieldProblem[]): AppError =>
  new AppError('body_invalid', `the ${whole} is not as it must be`, { retryable: false, fields });

/** @throws AppError `body_invalid` with the fields that the contract or the database refuses. */
export function check<T extends z.ZodType>(schema: T, input: unknown, whole: string): z.output<T> {
  const result = schema.safeParse(input);
  if (!result.success) throw invalid(whole, fieldsOf(result.error, whole));
  const fields = unstorable(result.data, whole);
  if (fields.length > 0) throw invalid(whole, fields);
  return result.data;
}

/** The body's very bytes, read once. @throws 413 above the limit, 400 when the client leaves in the middle of it. */
export async function readBytes(event: H3Event, limitBytes: number): Promise<Buffer> {
  assertBodySize(event, limitBytes);
  try {
    return Buffer.from(await event.req.arrayBuffer());
  } catch (error) {
    if (HTTPError.isError(error)) throw error;
    // Nobody reads this answer, but log and metrics must not take a cut connection for a failure of ours.
    const detail = 'the connection was cut before the request was complete';
    throw refusal({ status: 400, code: 'request_malformed', detail });
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** A body as text. @throws `body_malformed` for what is no UTF-8: guessed letters would go onto a parcel. */
export function textOf(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new AppError('body_malformed', 'the body is not UTF-8', { retryable: false, cause });
  }
}

/** The body as text, read once. @throws what `readBytes` and `textOf` do. */
export const readText = async (event: H3Event, limitBytes: number): Promise<string> =>
  textOf(await readBytes(event, limitBytes));

/** Without its parameters; empty when the client names none. */
export const contentTypeOf = (event: H3Event): string =>
  event.req.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';

export const unsupportedType = (types: string): HTTPError =>
  refusal({
    status: 415,
    code: 'content_type_unsupported',
    detail: `the body must come with content-type ${types}`,
  });

/** @throws 415 for another content type, 413, `body_malformed`, `body_invalid` with dotted paths. */
export async function readJson<T extends z.ZodType>(
  event: H3Event,
  schema: T,
  limitBytes = JSON_LIMIT_BYTES,
): Promise<z.output<T>> {
  if (contentTypeOf(event) !== 'application/json') throw unsupportedType('application/json');
  const text = await readText(event, limitBytes);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new AppError('body_malformed', 'the body is not JSON', { retryable: false, cause });
  }
  return check(schema, body, 'body');
}

/** @throws AppError `body_invalid` with the parameters' names; also of one that comes twice, as if it meant either. */
export function readQuery<T extends z.ZodType>(event: H3Event, schema: T): z.output<T> {
  const { searchParams } = event.url;
  const twice = [...new Set(searchParams.keys())].filter((name) => searchParams.getAll(name).length > 1);
  if (twice.length > 0)
    throw invalid(
      'query',
      twice.map((path) => ({ path, message: 'must come once' })),
    );
  return check(schema, Object.fromEntries(searchParams), 'query');
}

/** A part of the path, decoded; empty when it cannot be decoded. */
export function readParam(event: H3Event, name: string): string {
  try {
    return decodeURIComponent(event.context.params?.[name] ?? '');
  } catch {
    return '';
  }
}
