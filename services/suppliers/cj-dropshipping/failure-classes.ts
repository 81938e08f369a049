import type { FailureClass } from '../../../contracts/vocabulary.ts';
import { type CallKind, doubtful, type FailureColumns, same } from '../failure-columns.ts';

/** What came back when it was not a success. `code` is null when no code could be read. */
export interface Refusal {
  readonly httpStatus: number;
  readonly code: number | null;
  readonly message: string;
}

/** Every code that CJ documents or was seen to answer, as [from, to, classes]; the ranges do not overlap. */
export const FAILURE_ROWS: readonly (readonly [from: number, to: number, classes: FailureColumns])[] = [
  [429, 429, same('throttled')],
  [804, 804, same('permanent')],
  [806, 806, same('permanent')],
  [5027, 5027, same('permanent')],
  [5030, 5030, same('permanent')],
  [11001, 11100, same('permanent')],
  [1600000, 1600000, doubtful('transient')],
  [1600001, 1600013, same('auth')],
  [1600030, 1600031, same('auth')],
  [1600100, 1600100, doubtful('permanent')],
  [1600101, 1600101, same('permanent')],
  [1600200, 1600201, same('throttled')],
  [1600300, 1600300, same('invalid_input')],
  [1600301, 1600301, doubtful('transient')],
  [1601000, 1601000, same('auth')],
  [1602000, 1602001, same('not_found')],
  [1602002, 1602003, same('unavailable')],
  [1603000, 1603002, doubtful('permanent')],
  [1603003, 1603003, same('duplicate_reference')],
  [1603100, 1603100, same('not_found')],
  [1603101, 1603101, doubtful('permanent')],
  [1603102, 1603102, doubtful('unavailable')],
  [1604000, 1604001, same('funds')],
  [1605000, 1605002, same('not_shippable')],
  [1606000, 1606001, same('permanent')],
  [1607000, 1607003, same('permanent')],
  // Freight that could not be reckoned: after the one repetition that CJ advises it is as good as none.
  [1607004, 1607004, doubtful('not_shippable')],
  [1607006, 1607010, same('permanent')],
  [1608001, 1608001, same('invalid_input')],
  [16900202, 16900205, same('permanent')],
  [16900403, 16900403, same('invalid_input')],
  [16900500, 16900500, same('throttled')],
];

const BUSY = /\bbusy\b|try again|time(d )?[ -]?out|system error/i;
/** Said of the caller and not of the call, so that nothing was done; `platformToken` is a field of the call. */
const LOGIN =
  /\b(api|access)[ _-]?(key|token)\b|\btoken (is |has |was )?(invalid|expired)|\b(invalid|expired) token\b|\b(not|please) log(ged)? ?in\b/i;
const BALANCE = /balance|insufficient (funds|credit)/i;
const STOCK = /inventory|stock/i;
const INVALID =
  /\bioss\b|param(eter)?s? error|invalid|illegal|mandatory|required|must not|(can|may) ?not be|too long/i;

interface TextRule {
  readonly pattern: RegExp;
  readonly classes: FailureColumns;
}

const MANY_MEANINGS = 1600100;

/** CJ puts several meanings under these codes and only the text tells them apart. The first match wins. */
const TEXT_RULES = new Map<number, readonly TextRule[]>([
  [
    MANY_MEANINGS,
    [
      { pattern: LOGIN, classes: same('auth') },
      { pattern: BALANCE, classes: same('funds') },
      { pattern: INVALID, classes: same('invalid_input') },
    ],
  ],
  [
    1603000,
    [
      { pattern: BUSY, classes: doubtful('transient') },
      { pattern: INVALID, classes: same('invalid_input') },
    ],
  ],
  [
    1603001,
    [
      { pattern: BUSY, classes: doubtful('transient') },
      { pattern: STOCK, classes: doubtful('unavailable') },
      { pattern: BALANCE, classes: same('funds') },
    ],
  ],
]);

const UNREADABLE: FailureColumns = doubtful('transient');
const UNKNOWN: FailureColumns = doubtful('permanent');

function classesOf({ httpStatus, code, message }: Refusal): FailureColumns {
  // A server error may have struck after the effect, whatever its body claims.
  if (httpStatus >= 500) return UNREADABLE;
  if (httpStatus === 429) return same('throttled');
  const row = code === null ? undefined : FAILURE_ROWS.find(([from, to]) => code >= from && code <= to);
  if (row === undefined && [httpStatus, code].some((status) => status === 401 || status === 403))
    return same('auth');
  if (code === null) return UNREADABLE;
  const byText = TEXT_RULES.get(code)?.find(({ pattern }) => pattern.test(message));
  return byText?.classes ?? row?.[2] ?? UNKNOWN;
}

/** The class of a refusal. A code that nobody knows is doubt where money can move, and final elsewhere. */
export const failureClassOf = (refusal: Refusal, kind: CallKind): FailureClass => classesOf(refusal)[kind];

/** Of an order: freight has to be reckoned anew, and then it may be taken. */
export const isQuoteOver = ({ code }: Refusal): boolean => code === 1605000 || code === 1605001;

const TOKEN_REJECTED = new Set([1600001, 1600002, 1600003, 1600030]);

/** Whether it is only worth a try that the token may be meant: with one that is fresh, it is not. */
export const isGuessOfToken = ({ code, message }: Refusal): boolean =>
  code === MANY_MEANINGS && !LOGIN.test(message);

/**
 * Whether a fresh token may mend it. 1600100 was seen for dead tokens among other things: where its text does not say so,
 * it is worth one try still, but never where repeating could buy twice.
 */
export function isTokenRejected({ httpStatus, code, message }: Refusal, kind: CallKind): boolean {
  if (httpStatus >= 500 || httpStatus === 429) return false;
  // Refused at the door, whatever the body says: nothing was done.
  if (httpStatus === 401 || code === 401) return true;
  if (code === null) return false;
  if (code !== MANY_MEANINGS) return TOKEN_REJECTED.has(code);
  return LOGIN.test(message) || (kind === 'read' && !BALANCE.test(message) && !INVALID.test(message));
}
