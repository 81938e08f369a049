import { z } from 'zod';

/** Structured CloudEvents 1.0. `id` is derived from the cause, never random, so that a repeat is recognisable. */
export const Envelope = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(200),
  source: z.string().min(1),
  type: z.string().min(1),
  subject: z.string().min(1),
  time: z.iso.datetime({ offset: true }),
  datacontenttype: z.literal('application/json').optional(),
  dataschema: z.string().optional(),
  traceparent: z.string().optional(),
  causationid: z.string().optional(),
  data: z.unknown(),
});
export type Envelope = z.infer<typeof Envelope>;

export interface NewEnvelope {
  readonly id: string;
  /** The service that says it, as `/orders`. */
  readonly source: string;
  readonly type: string;
  /** The order id: everything on the bus belongs to one order. */
  readonly subject: string;
  readonly time: string;
  readonly data: unknown;
  readonly causationId?: string | undefined;
  readonly traceparent?: string | undefined;
}

export const envelope = (message: NewEnvelope): Envelope => ({
  specversion: '1.0',
  id: message.id,
  source: message.source,
  type: message.type,
  subject: message.subject,
  time: message.time,
  datacontenttype: 'application/json',
  dataschema: `urn:oms:${message.type}:v1`,
  ...(message.causationId === undefined ? {} : { causationid: message.causationId }),
  ...(message.traceparent === undefined ? {} : { traceparent: message.traceparent }),
  data: message.data,
});
