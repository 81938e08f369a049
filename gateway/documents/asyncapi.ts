import { z } from 'zod';
import { GAP_REPORTED, GapReported } from '../../contracts/events/gap-reported.ts';
import { FACT_TYPES, FactData } from '../../contracts/facts.ts';
import { AGENT_NEWS, type AgentNewsType } from '../../contracts/requests/agent-news.ts';
import { AgentRequest, agentSubject } from '../../contracts/requests/agent-request.ts';
import { Problem } from '../../contracts/resources/problem.ts';
import { factSubject } from '../../contracts/subjects.ts';
import { OPERATIONS } from '../crew/operations.ts';
import { type Route, scopeOf } from '../route.ts';
import { createSchemas, type NamedContracts, routeKey } from './openapi.ts';
import type { RouteDoc } from './route-doc.ts';

type Json = Readonly<Record<string, unknown>>;

const VERSION = '1.0.0';
/** The names under which the crew's documents plan to hear some facts; nats.conf hands them on under these, too. */
const ALIASES: Readonly<Record<string, string>> = {
  'order.received': 'order.created',
  'order.updated': 'order.updated',
  'order.shipped': 'order.shipped',
  'product.stock_alert': 'product.stock_alert',
};

/** A dot would be a path in the references of the document. */
const idOf = (name: string): string => name.replaceAll('.', '_');

const envelopeOf = (type: string, subject: string, data: Json): Json => ({
  type: 'object',
  required: ['specversion', 'id', 'source', 'type', 'subject', 'time', 'data'],
  properties: {
    specversion: { const: '1.0' },
    id: { type: 'string', description: 'Derived from the cause: a repeat has the same one.' },
    source: { type: 'string' },
    type: { const: type },
    subject: { type: 'string', description: subject },
    time: { type: 'string', format: 'date-time' },
    datacontenttype: { const: 'application/json' },
    dataschema: { type: 'string' },
    causationid: { type: 'string' },
    data,
  },
});

interface Parts {
  readonly channels: Record<string, Json>;
  readonly operations: Record<string, Json>;
  readonly messages: Record<string, Json>;
}

interface Fact {
  readonly type: string;
  /** What it is about. */
  readonly subject: string;
  readonly data: Json;
}

function addFact({ channels, operations, messages }: Parts, { type, subject, data }: Fact): void {
  const id = idOf(type);
  const alias = ALIASES[type];
  messages[id] = {
    name: type,
    title: type,
    contentType: 'application/json',
    payload: envelopeOf(type, subject, data),
  };
  channels[id] = {
    address: factSubject(type),
    description: `${alias === undefined ? 'A fact.' : `A fact, also heard as \`${alias}\` in the account CREW.`} Kept for seven days in the stream CREW.`,
    messages: { [id]: { $ref: `#/components/messages/${id}` } },
  };
  operations[`say_${id}`] = {
    action: 'send',
    channel: { $ref: `#/channels/${id}` },
    summary: `Says ${type}`,
    messages: [{ $ref: `#/channels/${id}/messages/${id}` }],
  };
}

function addOperation(parts: Parts, route: Route, name: string, doc: RouteDoc, answer: Json): void {
  const id = idOf(name);
  const subject = agentSubject(scopeOf(route), name);
  parts.messages[`${id}_answer`] = {
    name: `${name} answer`,
    contentType: 'application/json',
    payload: { oneOf: [answer, { $ref: '#/components/schemas/Problem' }] },
  };
  parts.channels[id] = {
    address: subject,
    description: `${doc.summary}: the same as ${routeKey(route)} of the REST API.`,
    messages: { request: { $ref: '#/components/messages/agent_request' } },
  };
  parts.channels[`${id}_answer`] = {
    address: null,
    description: 'The inbox of the request. A no has the header Nats-Service-Error-Code.',
    messages: { answer: { $ref: `#/components/messages/${id}_answer` } },
  };
  parts.operations[id] = {
    action: 'receive',
    channel: { $ref: `#/channels/${id}` },
    summary: doc.summary,
    messages: [{ $ref: `#/channels/${id}/messages/request` }],
    reply: {
      channel: { $ref: `#/channels/${id}_answer` },
      messages: [{ $ref: `#/channels/${id}_answer/messages/answer` }],
    },
  };
}

function addNews({ channels, operations, messages }: Parts, type: AgentNewsType, payload: Json): void {
  const id = `news_${idOf(type)}`;
  messages[id] = { name: type, title: type, contentType: 'application/json', payload };
  channels[id] = {
    // As the crew's account knows it; nats.conf brings it to ours under another name.
    address: type,
    description: `Told bare or as a CloudEvent. As a request, its answer says that it is stored.`,
    messages: { [id]: { $ref: `#/components/messages/${id}` } },
  };
  operations[id] = {
    action: 'receive',
    channel: { $ref: `#/channels/${id}` },
    summary: `Takes ${type}`,
    messages: [{ $ref: `#/channels/${id}/messages/${id}` }],
  };
}

const answerOf = (doc: RouteDoc): z.ZodType => {
  const contents = Object.values(doc.answers).find((each) => each !== null) ?? [];
  const json = contents.find((content) => 'json' in content);
  return json !== undefined && 'json' in json ? json.json : z.looseObject({});
};

/** The AsyncAPI 3 document of what other agents may hear and ask over NATS. Plain data, made once. */
export function toAsyncApi(
  routes: readonly Route[],
  { docs, named }: { docs: Readonly<Record<string, RouteDoc>>; named: NamedContracts },
): Json {
  const schemas = createSchemas({ ...named, Problem, FactData });
  const parts: Parts = { channels: {}, operations: {}, messages: {} };
  const data = schemas.of(FactData, 'output');
  schemas.of(Problem, 'output');
  for (const type of FACT_TYPES) addFact(parts, { type, subject: 'The order id.', data });
  const gap = schemas.of(GapReported, 'output');
  addFact(parts, { type: GAP_REPORTED, subject: 'The shop: it is about no single order.', data: gap });
  parts.messages.agent_request = {
    name: 'request',
    title: 'The parts of the REST route',
    contentType: 'application/json',
    payload: schemas.of(AgentRequest, 'input'),
  };
  for (const route of routes) {
    const [name, doc] = [OPERATIONS[routeKey(route)], docs[routeKey(route)]];
    if (name !== undefined && doc !== undefined)
      addOperation(parts, route, name, doc, schemas.of(answerOf(doc), 'output'));
  }
  for (const type of ['product.created', 'product.updated', 'price.changed'] as const)
    addNews(parts, type, schemas.of(AGENT_NEWS[type], 'input'));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Order Manager for agents',
      version: VERSION,
      description:
        'Facts to hear and operations to ask for, on NATS. Facts are CloudEvents without personal data: ids and states of ' +
        'an order or, once a day, numbers of the shop; ' +
        'whoever needs more asks. Operations are a NATS service named oms ($SRV.INFO.oms).',
      license: { name: 'Proprietary' },
    },
    defaultContentType: 'application/json',
    servers: { nats: { host: 'your-nats-server:4222', protocol: 'nats', description: 'The account CREW' } },
    channels: parts.channels,
    operations: parts.operations,
    components: { messages: parts.messages, schemas: schemas.components },
  };
}
