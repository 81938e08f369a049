import { randomUUID } from 'node:crypto';

/** Codes of the gateway; whatever else is refused is refused inside a normal answer. */
const PLATFORM_SIDE = ['ServiceUnavailable', 'InternalError', 'ServiceTimeout'];
const CALLER_SIDE = [
  'IncompleteSignature',
  'InvalidSignature',
  'MissingParameter',
  'InvalidParameter',
  'MissingAppKey',
  'InvalidAppKey',
  'InvalidApiPath',
  'IllegalTimestamp',
  'IllegalAccessToken',
  'AccessTokenExpired',
  'InvalidSession',
  'IllegalRefreshToken',
  'InvalidCode',
  'InsufficientPermission',
  'AppApiCallLimit',
  'ApiCallLimit',
];
const isSubCode = (code: string): boolean => /^is[vp]\./.test(code);

export const isGatewayCode = (code: string): boolean =>
  PLATFORM_SIDE.includes(code) || CALLER_SIDE.includes(code) || isSubCode(code);

/** Thrown by any handler that does not do what it was asked for. */
export class AliExpressRefusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

export const requestId = (): string => randomUUID().replaceAll('-', '');

const typeOf = (code: string): string =>
  PLATFORM_SIDE.includes(code) || code.startsWith('isp.') ? 'ISP' : 'ISV';

/** A gateway error of `/sync`, which comes with HTTP 200 as everything does. */
export function gatewayError({ code, message }: AliExpressRefusal): object {
  const type = typeOf(code);
  const error = isSubCode(code)
    ? { type, code: '15', msg: 'Remote service error', sub_code: code, sub_msg: message }
    : { type, code, msg: message };
  return { error_response: { ...error, request_id: requestId() } };
}

/** The flat error of `/rest`. */
export const flatError = ({ code, message }: AliExpressRefusal): object => ({
  type: typeOf(code),
  code,
  message,
  request_id: requestId(),
});
