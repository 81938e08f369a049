/** W3C Trace Context: version, trace id, id of the span that caused this, flags; all in lower hexadecimal. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-|$)/;

/** What may be carried on: a version later than ours is read as ours, anything else that is no `traceparent` is dropped. */
export function readTraceparent(header: string | null | undefined): string | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(header ?? '') ?? [];
  return traceId === undefined ? undefined : `00-${traceId}-${spanId}-${flags}`;
}

/** The id that is the same on the whole road. @param traceparent as `readTraceparent` gives it. */
export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35);
