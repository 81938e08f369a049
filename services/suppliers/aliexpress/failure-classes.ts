import type { FailureClass } from '../../../contracts/vocabulary.ts';
import type { RecipientField } from '../adapter.ts';
import { type CallKind, doubtful, type FailureColumns, same } from '../failure-columns.ts';

/** What came back when it was not a success. `codes` in the order in which they count, the most exact first. */
export interface Refusal {
  readonly httpStatus: number;
  readonly codes: readonly string[];
  readonly message: string;
}

/** Every code and sub-code that AliExpress documents or was seen to answer. */
export const FAILURE_ROWS: readonly (readonly [code: string, columns: FailureColumns])[] = [
  // The gateway, which refuses before anything is done.
  ['IncompleteSignature', same('auth')],
  ['InvalidSignature', same('auth')],
  ['InvalidAppKey', same('auth')],
  ['MissingAppKey', same('permanent')],
  ['MissingParameter', same('invalid_input')],
  ['InvalidParameter', same('invalid_input')],
  ['InvalidApiPath', same('permanent')],
  ['IllegalTimestamp', same('auth')],
  ['IllegalAccessToken', same('auth')],
  ['AccessTokenExpired', same('auth')],
  ['InvalidSession', same('auth')],
  ['IllegalRefreshToken', same('auth')],
  ['InvalidCode', same('auth')],
  ['InsufficientPermission', same('permanent')],
  ['isv.insufficient-permission', same('permanent')],
  ['isv.account-migration-check-fail', same('account_blocked')],
  ['isv.invalid-authorization', same('auth')],
  ['AppApiCallLimit', same('throttled')],
  ['ApiCallLimit', same('throttled')],
  // The platform, which may have done it all the same.
  ['ServiceUnavailable', doubtful('transient')],
  ['InternalError', doubtful('transient')],
  ['ServiceTimeout', doubtful('transient')],
  ['15', doubtful('transient')],
  // Products, freight, search, tracking.
  ['ITEM_ID_NOT_FOUND', same('not_found')],
  ['DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS', same('not_shippable')],
  ['DELIVERY_INFO_EMPTY', same('not_shippable')],
  ['EXCEPTION_TEXT_SEARCH_FOR_DS', doubtful('transient')],
  ['1001', doubtful('not_found')],
  // The creation of an order.
  ['DELIVERY_METHOD_NOT_EXIST', same('not_shippable')],
  ['INVENTORY_HOLD_ERROR', same('unavailable')],
  ['SKU_NOT_EXIST', same('not_found')],
  ['PRICE_PAY_CURRENCY_ERROR', same('price_changed')],
  ['REPEATED_ORDER_ERROR', same('duplicate_reference')],
  ['A001_ORDER_CANNOT_BE_PLACED', same('permanent')],
  ['A002_INVALID_ZONE', same('not_shippable')],
  ['A005_INVALID_COUNTRIES', same('not_shippable')],
  ['A003_SUSPICIOUS_BUYER', same('account_blocked')],
  ['BLACKLIST_BUYER_IN_LIST', same('account_blocked')],
  ['USER_ACCOUNT_DISABLED', same('account_blocked')],
  ['A006_INVALID_ACCOUNT_INFO', same('account_blocked')],
  ['A004_CANNOT_USER_COUPON', same('permanent')],
  ['ERROR_WHEN_BUILD_FOR_PLACE_ORDER', doubtful('transient')],
  ['REMOTE_CREATE_ORDER_RESULT_ERROR', doubtful('transient')],
  ['PARM_ILLEGL', same('invalid_input')],
];

const ADDRESS_REFUSED = 'B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL';

/** Of the codes that refuse a Brazilian's tax number only the ends are documented. */
const CPF_REFUSED = /_CPF_(CN_INVALID|NOT_MATCH)$/;

/** Families of codes, by their beginnings; asked after the rows. */
export const FAILURE_FAMILIES: readonly (readonly [beginning: string, columns: FailureColumns])[] = [
  ['isp.', doubtful('transient')],
  [ADDRESS_REFUSED, same('invalid_input')],
];

const UNREADABLE: FailureColumns = doubtful('transient');
const UNKNOWN: FailureColumns = doubtful('permanent');

const ROWS = new Map(FAILURE_ROWS);

const columnsOfCode = (code: string): FailureColumns | undefined =>
  CPF_REFUSED.test(code)
    ? same('invalid_input')
    : (ROWS.get(code) ?? FAILURE_FAMILIES.find(([beginning]) => code.startsWith(beginning))?.[1]);

/** Reads may name their code in the text only. A number there is no code. */
function columnsOfText(message: string): FailureColumns {
  if (/not allowed\b.*\bcountry/i.test(message)) return doubtful('not_shippable');
  const word = message.split(/\W+/).find((part) => !/^\d+$/.test(part) && columnsOfCode(part));
  return word === undefined ? UNKNOWN : doubtful(columnsOfCode(word)?.read ?? UNKNOWN.read);
}

/** Whether it is our clock that it does not take, by its own code or by what it says of the parameter. */
export const isTimeRefused = ({ codes, message }: Refusal): boolean =>
  codes.includes('IllegalTimestamp') ||
  (codes.includes('InvalidParameter') && /\btimestamp\b/i.test(message));

function columnsOf(refusal: Refusal): FailureColumns {
  const { httpStatus, codes, message } = refusal;
  // A server error may have struck after the effect, whatever its body claims.
  if (httpStatus >= 500) return UNREADABLE;
  if (httpStatus === 429) return same('throttled');
  if (codes.length === 0 && message === '' && httpStatus !== 200) return UNREADABLE;
  if (isTimeRefused(refusal)) return same('auth');
  // "15" only says that the service behind the gateway refused: a sub-code that we do not know is not explained by it.
  const known = codes.filter((code) => code !== '15' || codes.length === 1).find(columnsOfCode);
  return (known === undefined ? undefined : columnsOfCode(known)) ?? columnsOfText(message);
}

/** The class of a refusal. A code that nobody knows is doubt where money can move, and final elsewhere. */
export const failureClassOf = (refusal: Refusal, kind: CallKind): FailureClass => columnsOf(refusal)[kind];

const names =
  (...wanted: readonly string[]) =>
  ({ codes }: Refusal): boolean =>
    codes.some((code) => wanted.includes(code));

/** Whether a fresh token may mend it: the gateway refused, so repeating cannot buy twice. */
export const isTokenRejected = names('IllegalAccessToken', 'AccessTokenExpired', 'InvalidSession');

/** Whether it is key and secret that do not fit: no consent mends that. */
export const isKeyRejected = names('IncompleteSignature', 'InvalidSignature', 'InvalidAppKey');

/**
 * What of the receiver was refused; null when it was something else. The code stands for address, telephone and tax
 * number alike, and only its ending or its text may say which.
 */
export function refusedFieldOf({ codes, message }: Refusal): RecipientField | null {
  const code = codes.find((each) => each.startsWith(ADDRESS_REFUSED) || CPF_REFUSED.test(each));
  if (code === undefined) return null;
  const words = `${code.replace(ADDRESS_REFUSED, '')} ${message}`;
  if (/cpf|tax|vat|rut_?no|passport|customs|birthday|nat_addr/i.test(words)) return 'taxId';
  return /phone|mobile/i.test(words) ? 'phone' : 'address1';
}

/** Of an order: what freight or product said holds no more, and asked anew they may say what is taken. */
export const isQuoteOver = names('DELIVERY_METHOD_NOT_EXIST', 'PRICE_PAY_CURRENCY_ERROR');

const isDenied = names('InsufficientPermission', 'isv.insufficient-permission');

/** Of a question for an order: AliExpress answers in these ways for an order that is not there or not ours. */
export const saysNoSuchOrder = (refusal: Refusal): boolean =>
  isDenied(refusal) || /\bnot (exist|found)\b|\bno such\b/i.test(refusal.message);

/** Seconds of the ban that the text names; null when it names none. */
export function banSecondsOf({ message }: Refusal): number | null {
  const seconds = /ban will last ([\d,]+)/i.exec(message)?.[1];
  return seconds === undefined ? null : Number(seconds.replaceAll(',', ''));
}
