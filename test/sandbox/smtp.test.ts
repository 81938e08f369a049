import { createTransport } from 'nodemailer';
import { describe, expect, test } from 'vitest';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { control, givenFaults, givenWorld, ledgerOf } from './world.ts';

const send = (
  world: Sandbox,
  options: { auth?: { user: string; pass: string }; subject?: string; html?: string } = {},
) =>
  createTransport({
    host: '127.0.0.1',
    port: world.smtpPort,
    ignoreTLS: true,
    ...(options.auth === undefined ? {} : { auth: options.auth }),
  }).sendMail({
    from: 'shop@sandbox.example',
    to: ['pat@buyer.example', 'kim@buyer.example'],
    subject: options.subject ?? 'Your parcel',
    messageId: '<fact-1@sandbox.example>',
    text: 'It is on its way.',
    ...(options.html === undefined ? {} : { html: options.html }),
  });

test('a mail is kept with envelope, readable headers and its raw bytes', async () => {
  const world = await givenWorld();
  await send(world, {
    subject: 'Votre colis n°1042 est arrivé — merci, à bientôt et bonne journée à toute la famille',
  });
  const { mails, calls } = await ledgerOf(world);
  expect(mails).toMatchObject([
    {
      number: 1,
      to: ['pat@buyer.example', 'kim@buyer.example'],
      subject: 'Votre colis n°1042 est arrivé — merci, à bientôt et bonne journée à toute la famille',
      messageId: '<fact-1@sandbox.example>',
    },
  ]);
  expect(calls['smtp.data']).toBe(1);
  const raw = await control(world, 'GET', '/mails/1');
  const text = await raw.text();
  expect(raw.headers.get('content-type')).toBe('message/rfc822');
  expect(text).toContain('It is on its way.');
  expect(Buffer.byteLength(text)).toBe(mails[0]!.bytes);
  expect((await control(world, 'GET', '/mails/2')).status).toBe(404);
});

test('a login is taken but not asked for', async () => {
  const world = await givenWorld();
  await send(world, { auth: { user: 'anyone', pass: 'anything' } });
  expect((await ledgerOf(world)).mails).toHaveLength(1);
});

describe('faults', () => {
  test.each([
    ['rate_limit', 0, { responseCode: 451 }],
    ['error_before', 0, { responseCode: 452 }],
    ['no_answer_before', 0, {}],
    ['no_answer_after', 1, {}],
    ['error_after', 1, {}],
    ['garbage', 1, {}],
  ])('%s fails the sender and leaves %i mails behind', async (kind, count, error) => {
    const world = await givenWorld();
    await givenFaults(world, { operation: 'smtp.data', kind, times: 1 });
    await expect(send(world)).rejects.toMatchObject(error);
    expect((await ledgerOf(world)).mails).toHaveLength(count);
    await send(world);
    expect((await ledgerOf(world)).mails).toHaveLength(count + 1);
  });

  test('slow only takes time', async () => {
    const world = await givenWorld();
    await givenFaults(world, { operation: 'smtp.data', kind: 'slow', delayMs: 150 });
    const before = performance.now();
    await send(world);
    expect(performance.now() - before).toBeGreaterThan(130);
  });
});

describe('the page of mails', () => {
  const pageOf = (world: Sandbox, path: string) => fetch(`${world.origin}/mails${path}`);

  test('lists them, the newest first, and shows each with its text and headers', async () => {
    const world = await givenWorld();
    expect(await (await pageOf(world, '')).text()).toContain('No mail has come in yet.');
    await send(world);
    await send(world, { subject: 'Livré <b>&</b> bien' });
    const list = await (await pageOf(world, '')).text();
    expect(list).toContain('2 mails');
    expect(list.indexOf('Livré &lt;b&gt;&amp;&lt;/b&gt; bien')).toBeLessThan(list.indexOf('Your parcel'));
    expect(list).toContain('pat@buyer.example, kim@buyer.example');
    const mail = await (await pageOf(world, '/1')).text();
    expect(mail).toContain('<iframe sandbox src="/mails/1/html"');
    expect(mail).toContain('It is on its way.');
    expect(mail).toContain('Message-ID: &lt;fact-1@sandbox.example&gt;');
    for (const path of ['/3', '/x', '/3/html']) expect((await pageOf(world, path)).status).toBe(404);
  });

  test('the HTML of a mail may run no script', async () => {
    const world = await givenWorld();
    await send(world, { html: '<p>Hi</p><script>alert(1)</script>' });
    const part = await pageOf(world, '/1/html');
    expect(part.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/);
    expect(await part.text()).toContain('<p>Hi</p>');
    await send(world);
    expect(await (await pageOf(world, '/2/html')).text()).toContain('no HTML part');
  });
});
