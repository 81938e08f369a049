import { AsyncLocalStorage } from 'node:async_hooks';
import { traceIdOf } from '../contracts/trace-context.ts';

/** What the code that runs just now is about. It follows every call and wait from there on by itself. */
export interface Work {
  readonly orderId?: string | undefined;
  readonly messageId?: string | undefined;
  readonly requestId?: string | undefined;
  /** W3C Trace Context of whatever asked for this. */
  readonly traceparent?: string | undefined;
}

const storage = new AsyncLocalStorage<Work>();

export const currentWork = (): Work | undefined => storage.getStore();

/** Runs what is about that: besides it what it stands in is still known. */
export const during = <T>(work: Work, run: () => T): T =>
  storage.run({ ...storage.getStore(), ...work }, run);

/** For each log line: whom it is about. */
export function workFields(): Record<string, string> {
  const { traceparent, ...ids } = storage.getStore() ?? {};
  const fields: Record<string, string> = {};
  for (const [name, id] of Object.entries(ids)) if (id !== undefined) fields[name] = id;
  if (traceparent !== undefined) fields.traceId = traceIdOf(traceparent);
  return fields;
}
