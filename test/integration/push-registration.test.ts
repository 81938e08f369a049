import { expect, onTestFinished, test } from 'vitest';
import { startPushRegistration } from '../../services/suppliers/push-registration.ts';
import { eventually } from '../fixtures/eventually.ts';
import { aDesk, callsOf } from '../fixtures/purchase-desk.ts';
import { anEar } from '../fixtures/push-ear.ts';
import { control } from '../sandbox/world.ts';

test('the supplier is told where its pushes go, and asks whether somebody is there', async () => {
  const ear = await anEar();
  const desk = await aDesk({ CJ_DROPSHIPPING_PUSH_URL: new URL(ear.url).origin });
  await control(desk.world, 'PUT', '/settings', { cjPushUrls: 'any' });
  const registration = startPushRegistration(desk.ports, desk.adapter);
  onTestFinished(() => registration?.stop());
  await eventually(async () => expect(ear.heard).toHaveLength(1));
  expect(await callsOf(desk.world, 'webhookSet')).toBe(1);
});

test('without an address nobody is told anything', async () => {
  const desk = await aDesk();
  expect(startPushRegistration(desk.ports, desk.adapter)).toBeNull();
});
