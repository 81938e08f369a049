import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { buildSchema, parse, validate } from 'graphql';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { listenOn } from '../../deploy/sandbox/listen.ts';
import { adminSchemaText } from '../../deploy/sandbox/shopify/admin-api.ts';
import { withoutFields } from '../../services/shopify/optional-fields.ts';
import { ORDER } from '../../services/shopify/order-operations.ts';
import { WORK_AND_SHIPMENTS } from '../../services/shopify/shipment-operations.ts';
import { FULFILLMENT_ORDERS, PLACE_HOLD } from '../../services/shopify/work-operations.ts';
import { clientOf } from '../fixtures/shop-ports.ts';

/** The shop's schema without lines of one type. */
const without = (text: string, type: string, ...lines: readonly RegExp[]): string => {
  const begin = text.indexOf(`type ${type} `);
  const end = text.indexOf('\n}', begin);
  expect(begin).toBeGreaterThan(-1);
  const block = lines.reduce(
    (left, line) => {
      expect(left).toMatch(line);
      return left.replace(line, '');
    },
    text.slice(begin, end),
  );
  return text.slice(0, begin) + block + text.slice(end);
};

let reduced = without(adminSchemaText, 'Order', /\n {2}risk: .*/);
reduced = without(reduced, 'FulfillmentHold', /\n {2}handle: .*/, /\n {2}heldByRequestingApp: .*/);
reduced = without(reduced, 'MailingAddress', /\n {2}name: .*/);
reduced = without(reduced, 'FulfillmentOrderAssignedLocation', /\n {2}city: .*/);
reduced = without(reduced, 'MoneyBag', /\n {2}presentmentMoney: .*/);
const schema = buildSchema(reduced);

const Asked = z.object({ query: z.string() });

test('a shop that lacks fields which are only good to have is asked without them, and is not asked for them again', async () => {
  const answers: number[] = [];
  const server = createServer(async (request, response) => {
    const { query } = Asked.parse(await json(request));
    const errors = validate(schema, parse(query)).map(({ message }) => ({ message }));
    answers.push(errors.length);
    response.writeHead(200, { 'content-type': 'application/json', 'x-shopify-api-version': '2026-10' });
    response.end(JSON.stringify(errors.length > 0 ? { errors } : { data: { order: null } }));
  });
  const port = await listenOn(server, '127.0.0.1', 0);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const warnings: unknown[] = [];
  const client = clientOf(`http://127.0.0.1:${port}`, {
    timeoutMs: 10_000,
    warn: ({ detail }) => warnings.push(detail),
  });
  const variables = { orderId: 'gid://shopify/Order/1' };
  const ask = (operation: string) => client.request(operation, variables, z.unknown(), { priority: 'read' });
  expect(await ask(ORDER)).toEqual({ order: null });
  expect(answers.at(-1)).toBe(0);
  expect(warnings.toSorted()).toEqual(['city', 'handle', 'name', 'presentmentMoney', 'risk']);
  const before = answers.length;
  for (const operation of [ORDER, FULFILLMENT_ORDERS, WORK_AND_SHIPMENTS]) await ask(operation);
  expect(answers.slice(before)).toEqual([0, 0, 0]);
});

test('what nobody can do without stays, and an unknown field there is a refusal', () => {
  const unknown = new Set(['status', 'lineItems', 'currencyCode']);
  expect(withoutFields(ORDER, unknown)).toBe(ORDER);
  // Of an address it can be put together; the names of an order and of its lines stand.
  expect(withoutFields(ORDER, new Set(['name']))).toBe(ORDER.replaceAll('lastName name', 'lastName'));
});

test('a shop in which our holds could not be told from those of others lets us place none', () => {
  const asked = withoutFields(PLACE_HOLD, new Set(['handle', 'heldByRequestingApp']));
  expect(validate(schema, parse(asked))).not.toEqual([]);
  expect(validate(buildSchema(adminSchemaText), parse(asked))).toEqual([]);
});
