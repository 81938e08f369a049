import { partitionOf } from './ids.ts';
import { SUPPLIERS } from './vocabulary.ts';

export const STREAMS = { events: 'EVT', commands: 'CMD', crew: 'CREW', advisories: 'ADV' } as const;

export const SERVICES = ['suppliers', 'shopify', 'notifier'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** Queues of commands: one for each service, and one for each supplier, so that none waits for the calls of another. */
export const LANES = [...SERVICES, ...SUPPLIERS] as const;
export type Lane = (typeof LANES)[number];

/** `type` is `<entity>.<fact>`; the partition follows from the order id. */
export const eventSubject = (type: string, orderId: string): string =>
  `oms.evt.${partitionOf(orderId)}.${type}.${orderId}`;

/** The type that stands in the subject of an event. */
export const eventTypeOf = (subject: string): string => subject.split('.').slice(3, -1).join('.');

export const partitionFilter = (partition: number): string => `oms.evt.${partition}.>`;

export const commandSubject = (lane: Lane, verb: string, id: string): string =>
  `oms.cmd.${lane}.${verb}.${id}`;

export const commandFilter = (lane: Lane): string => `oms.cmd.${lane}.>`;

export const isOfLane = (subject: string, lane: Lane): boolean => subject.startsWith(`oms.cmd.${lane}.`);

/** Facts for the other agents. `type` is `<entity>.<fact>`. */
export const factSubject = (type: string): string => `oms.pub.${type}`;

/** Questions that are answered at once, on core NATS: no stream takes them, and nothing personal stands in the subject. */
export const requestSubject = (service: ServiceName, verb: string): string => `oms.req.${service}.${verb}`;
