import { z } from 'zod';
import { MaybeText } from '../loose-json.ts';
import type { Refusal } from './failure-classes.ts';
import { isIdText, itemsOf } from './responses.ts';

export type Answer =
  | { readonly body: unknown; readonly requestId: string | null }
  | { readonly refusal: Refusal; readonly requestId: string | null };

type Fields = Readonly<Record<string, unknown>>;

const Verdict = z.union([z.boolean(), z.stringbool()]).nullish().catch(null);
const Text = MaybeText.catch(null);

/** Where an answer, or its `result`, says how it went; each call uses some of these names. */
const Layer = z.object({
  success: Verdict,
  is_success: Verdict,
  ret: Verdict,
  sub_code: Text,
  error_code: Text,
  code: Text,
  rsp_code: Text,
  sub_msg: Text,
  error_msg: Text,
  msg: Text,
  message: Text,
  rsp_msg: Text,
  request_id: Text,
});
type Layer = z.infer<typeof Layer>;

const OK = ['0', '00', '200'];

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldsOf = (value: unknown): Fields | null => (isFields(value) ? value : null);

const isText = (text: string | null): text is string => text !== null;

const codesOf = ({ sub_code, error_code, code, rsp_code }: Layer): string[] =>
  [sub_code, error_code, code, rsp_code].filter(isText).filter((each) => !OK.includes(each));

const textsOf = ({ sub_msg, error_msg, msg, message, rsp_msg }: Layer): string[] =>
  [sub_msg, error_msg, msg, message, rsp_msg].filter(isText);

const toRefusal = (httpStatus: number, layers: readonly Layer[]): Refusal => ({
  httpStatus,
  codes: layers.flatMap(codesOf),
  message: layers.flatMap(textsOf).join('; '),
});

/** A plain yes or no counts more than codes: an order may be created with a code that only says "not paid". */
function isRefused(layers: readonly Layer[]): boolean {
  const verdicts = layers.flatMap(({ success, is_success, ret }) => [success, is_success, ret]);
  if (verdicts.includes(false)) return true;
  return !verdicts.includes(true) && layers.some((layer) => codesOf(layer).length > 0);
}

/** Names by which an answer without its wrapper is known to be one. */
const BODY_NAMES = ['result', 'data', 'code', 'rsp_code', 'access_token'];

/** The name of the wrapper follows the method's, but not always. */
function bodyOf(json: Fields): Fields | null {
  const wrapper = Object.keys(json).find((name) => name.endsWith('_response'));
  if (wrapper !== undefined) return fieldsOf(json[wrapper]);
  return BODY_NAMES.some((name) => name in json) ? json : null;
}

/**
 * What an answer says, success or refusal; null when it is none of AliExpress's. One that names created orders is a
 * success whatever else it says: they exist.
 */
export function readEnvelope(httpStatus: number, json: unknown): Answer | null {
  const fields = fieldsOf(json);
  if (fields === null) return null;
  const error = fieldsOf(fields.error_response);
  const body = error ?? bodyOf(fields);
  if (body === null) return null;
  const result = fieldsOf(body.result);
  const layers = [body, result].filter((layer) => layer !== null).map((each) => Layer.parse(each));
  const requestId = layers[0]?.request_id ?? null;
  // The result is nearer to what happened than what is said around it.
  const isCreated = itemsOf(result?.order_list).some((id) => isIdText(String(id)));
  if (error !== null || httpStatus !== 200 || (isRefused(layers) && !isCreated))
    return { refusal: toRefusal(httpStatus, layers.toReversed()), requestId };
  return { body, requestId };
}
