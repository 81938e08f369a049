import { expect, test } from 'vitest';
import { control, givenFaults, givenWorld } from './world.ts';

test.each([
  ['PUT', '/faults', { operation: 'cj.create' }],
  ['PUT', '/faults', [{ operation: 'cj.create', kind: 'explode' }]],
  ['PUT', '/faults', [{ operation: 'cj.create', kind: 'slow', delay: 5 }]],
  ['PUT', '/faults', [{ operation: 'aliexpress.createOrder', kind: 'refusal_before' }]],
  ['PUT', '/faults', [{ operation: 'aliexpress.createOrder', kind: 'slow', code: 'SKU_NOT_EXIST' }]],
  ['PUT', '/faults', [{ operation: 'cj.create', kind: 'refusal_after', code: '1603000' }]],
  ['PUT', '/settings', { dupMode: 'C' }],
  ['PUT', '/settings', { aliexpress: { listShape: 'round' } }],
  ['PUT', '/settings', { aliexpress: { unknown: 1 } }],
  ['PUT', '/settings', { unknown: 1 }],
  ['PUT', '/settings', { timing: { shipMs: -1 } }],
])('%s %s refuses %j', async (method, path, body) => {
  expect((await control(await givenWorld(), method, path, body)).status).toBe(400);
});

test('the rules can be read back with their counts, and new ones replace all of them', async () => {
  const world = await givenWorld();
  await givenFaults(world, { operation: 'cj.getAccessToken', kind: 'error_before', times: 1 });
  const knock = () =>
    fetch(`${world.cjBaseUrl}/authentication/getAccessToken`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"apiKey":"x"}',
    });
  expect([(await knock()).status, (await knock()).status]).toEqual([500, 200]);
  expect(await (await control(world, 'GET', '/faults')).json()).toEqual([
    { rule: { operation: 'cj.getAccessToken', kind: 'error_before', times: 1 }, seen: 2, fired: 1 },
  ]);
  await givenFaults(world);
  expect(await (await control(world, 'GET', '/faults')).json()).toEqual([]);
});

test('settings change one by one and are shown whole, the balance in cents', async () => {
  const world = await givenWorld();
  await control(world, 'PUT', '/settings', { balance: 12_345, lookupBlindMs: 9 });
  await control(world, 'PUT', '/settings', { aliexpress: { ids: 'number' } });
  await control(world, 'PUT', '/settings', { aliexpress: { parcels: 2 } });
  const answer = await control(world, 'PUT', '/settings', { timing: { transitMs: 3 } });
  expect(await answer.json()).toMatchObject({
    balance: 12_345,
    dupMode: 'A',
    aliexpress: { ids: 'number', parcels: 2, listShape: 'wrapped' },
    timing: { processMs: 20, transitMs: 3, lookupBlindMs: 9 },
  });
});
