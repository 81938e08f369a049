import { z } from 'zod';
import type { ServiceName } from '../subjects.ts';
import { Evidence, FailureClass } from '../vocabulary.ts';

/** One question that a service answers at once over core NATS. Nothing of it is stored: who hears nothing asks again. */
export interface RequestContract<Request extends z.ZodType = z.ZodType, Reply extends z.ZodType = z.ZodType> {
  readonly service: ServiceName;
  readonly verb: string;
  readonly request: Request;
  readonly reply: Reply;
}

/** A no that was foreseen. It travels as data: the class decides what the asker does, `message` is for people. */
export const RequestFailure = z.object({
  failureClass: FailureClass,
  message: z.string(),
  evidence: Evidence,
});
export type RequestFailure = z.infer<typeof RequestFailure>;

export type Answer<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: RequestFailure };

export const yes = <Value>(value: Value): Answer<Value> => ({ ok: true, value });
export const no = (failure: RequestFailure): Answer<never> => ({ ok: false, failure });
