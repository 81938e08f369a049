import { createServer, type Socket } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../deploy/local/free-port.ts';
import { createMailer, type Mailer, type MailerOptions } from '../../services/notifier/mailer.ts';
import type { OutgoingMail } from '../../services/notifier/mime-message.ts';

const aMail = (changes: Partial<OutgoingMail> = {}): OutgoingMail => ({
  messageId: '<ord_1.parcel_shipped.prc_2@orders.lantern.example>',
  to: 'zora@customer.example',
  subject: 'Votre commande #1042 est en route — « Été »',
  text: 'Bonjour Zora,\n\n.point\nfrom the start\n',
  html: '<p>Bonjour Zora</p>',
  language: 'fr',
  ...changes,
});

interface TestServer {
  readonly port: number;
  /** Raw mails that were answered or cut after their final dot. */
  readonly mails: string[];
  readonly connections: () => number;
  /** Drops every connection as a dying server does. */
  readonly cut: () => void;
}

interface Hooks extends SMTPServerOptions {
  /** Called instead of the friendly answer once the whole mail is in. */
  readonly afterDot?: (server: TestServer, answer: (error?: Error) => void) => void;
}

async function startServer(hooks: (server: () => TestServer) => Hooks = () => ({}), at?: number) {
  const port = at ?? (await freePort());
  const sockets = new Set<Socket>();
  let connections = 0;
  const mails: string[] = [];
  const self: TestServer = {
    port,
    mails,
    connections: () => connections,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
  const { afterDot, ...options } = hooks(() => self);
  const server = new SMTPServer({
    logger: false,
    authOptional: true,
    hideSTARTTLS: true,
    closeTimeout: 1,
    onData(stream, _session, callback) {
      void textOf(stream).then((raw) => {
        mails.push(raw);
        if (afterDot === undefined) callback();
        else afterDot(self, callback);
      });
    },
    ...options,
  });
  server.on('error', () => {});
  server.server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(async () => {
    self.cut();
    await new Promise<void>((resolve) => server.close(resolve));
  });
  return self;
}

function mailerTo(port: number, changes: Partial<MailerOptions> = {}): Mailer {
  const mailer = createMailer({
    host: '127.0.0.1',
    port,
    from: 'Lantern & Larch <hello@lantern.example>',
    timeoutMs: 5_000,
    ...changes,
  });
  onTestFinished(() => mailer.close());
  return mailer;
}

const replied = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode });

/** Every answer of these servers repeats the address, as real ones do; no outcome may. */
async function outcomeOf(mailer: Mailer, mail: OutgoingMail = aMail()) {
  const outcome = await mailer.send(mail);
  expect(JSON.stringify(outcome)).not.toMatch(/zora|@|example/i);
  return outcome;
}

test('a mail arrives as it was meant', async () => {
  const server = await startServer();
  const mailer = mailerTo(server.port);
  const messageId = `<${'ord_0123456789abcdef.'.repeat(8)}@orders.lantern.example>`;
  expect(await outcomeOf(mailer, aMail({ messageId }))).toEqual({
    result: 'sent',
    evidence: { reply: 250 },
  });

  const [raw = ''] = server.mails;
  const mail = await simpleParser(raw);
  expect(mail.messageId).toBe(messageId);
  expect(raw.replaceAll(/\r\n\s+/g, ' ')).toContain(`\r\nMessage-ID: ${messageId}\r\n`);
  expect(mail.subject).toBe('Votre commande #1042 est en route — « Été »');
  expect(mail.from?.text).toBe('"Lantern & Larch" <hello@lantern.example>');
  expect([mail.to].flat().map((to) => to?.text)).toEqual(['zora@customer.example']);
  expect(mail.text?.replaceAll('\r\n', '\n')).toContain('Bonjour Zora,\n\n.point\nfrom the start');
  expect(mail.html).toContain('<p>Bonjour Zora</p>');
  expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
  expect(mail.headers.get('content-language')).toBe('fr');
});

test('several mails share a connection', async () => {
  const server = await startServer();
  const mailer = mailerTo(server.port);
  for (let n = 0; n < 3; n += 1) expect((await outcomeOf(mailer)).result).toBe('sent');
  expect([server.mails.length, server.connections()]).toEqual([3, 1]);
});

test('many mails at once wait their turn on a few connections without running out of time', async () => {
  const server = await startServer(() => ({
    afterDot: (_self, answer) => void setTimeout(answer, 150),
  }));
  const mailer = mailerTo(server.port, { timeoutMs: 500 });
  const outcomes = await Promise.all(Array.from({ length: 25 }, () => outcomeOf(mailer)));
  expect(outcomes.map(({ result }) => result)).toEqual(Array.from({ length: 25 }, () => 'sent'));
  expect(server.mails).toHaveLength(25);
  expect(server.connections()).toBeLessThanOrEqual(5);
});

test('a mail whose turn comes too late is not sent, and may be sent later', async () => {
  const server = await startServer(() => ({
    afterDot: (_self, answer) => void setTimeout(answer, 300),
  }));
  const mailer = mailerTo(server.port, { timeoutMs: 15_000, turnTimeoutMs: 100 });
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => outcomeOf(mailer)));
  const late = outcomes.filter(({ result }) => result === 'refused_for_now');
  expect(late).toHaveLength(3);
  expect(server.mails).toHaveLength(5);
});

test('encryption is used when the server offers it', async () => {
  const secure: boolean[] = [];
  const server = await startServer(() => ({
    hideSTARTTLS: false,
    onMailFrom: (_address, session, callback) => {
      secure.push(session.secure);
      callback();
    },
  }));
  expect((await outcomeOf(mailerTo(server.port))).result).toBe('sent');
  expect(secure).toEqual([true]);
});

test.each([
  ['offers no encryption', ['STARTTLS'], 'ETLS'],
  ['cannot prove its name', [], 'ESOCKET'],
])('login data is not sent to a server elsewhere that %s', async (_what, disabledCommands, code) => {
  let logins = 0;
  const server = await startServer(() => ({
    hideSTARTTLS: false,
    disabledCommands,
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: (_auth, _session, callback) => {
      logins += 1;
      callback(null, { user: 'oms' });
    },
  }));
  const login = { username: 'oms', password: 'secret' };
  // Reaches the same server, but the mailer does not know this spelling for loopback.
  const elsewhere = mailerTo(server.port, { host: '127.1', ...login });
  expect(await outcomeOf(elsewhere)).toMatchObject({ result: 'refused_for_now', evidence: { code } });
  expect(logins).toBe(0);

  expect((await outcomeOf(mailerTo(server.port, login))).result).toBe('sent');
  expect(logins).toBe(1);
});

test('a login that is refused says nothing about the mail', async () => {
  const server = await startServer(() => ({
    allowInsecureAuth: true,
    onAuth: (_auth, _session, callback) => callback(replied(535, 'who is zora@customer.example?')),
  }));
  const mailer = mailerTo(server.port, { username: 'oms', password: 'wrong' });
  expect(await outcomeOf(mailer)).toMatchObject({
    result: 'refused_for_now',
    evidence: { code: 'EAUTH', reply: 535 },
  });
});

const phases = (['pipelined', 'one command at a time'] as const).flatMap((how) =>
  (['MAIL FROM', 'RCPT TO'] as const).map((phase) => ({ how, phase })),
);

const atPhase = (phase: 'MAIL FROM' | 'RCPT TO', act: (callback: (error?: Error) => void) => void): Hooks =>
  phase === 'MAIL FROM'
    ? { onMailFrom: (_address, _session, callback) => act(callback) }
    : { onRcptTo: (_address, _session, callback) => act(callback) };

test.each(phases)('a connection lost at $phase ($how) leaves no doubt', async ({ how, phase }) => {
  const server = await startServer((self) => ({
    hidePIPELINING: how !== 'pipelined',
    ...atPhase(phase, () => self().cut()),
  }));
  const mailer = mailerTo(server.port);
  expect(await outcomeOf(mailer)).toMatchObject({
    result: 'refused_for_now',
    evidence: { code: expect.stringMatching(/^(ECONNECTION|ESOCKET)$/) },
  });
  await mailer.close();
  expect([server.connections(), server.mails.length]).toEqual([1, 0]);
});

test.each(phases)('a server silent at $phase ($how) leaves no doubt', async ({ how, phase }) => {
  const server = await startServer(() => ({
    hidePIPELINING: how !== 'pipelined',
    ...atPhase(phase, () => {}),
  }));
  expect(await outcomeOf(mailerTo(server.port, { timeoutMs: 300 }))).toMatchObject({
    result: 'refused_for_now',
    evidence: { code: 'ETIMEDOUT' },
  });
});

test.each(phases)(
  'a refusal at $phase ($how) is for now or for ever as its code says',
  async ({ how, phase }) => {
    for (const [reply, result] of [
      [450, 'refused_for_now'],
      [503, 'refused_for_now'],
      [530, 'refused_for_now'],
      // Our own sender is refused for every mail, until somebody mends the settings.
      [550, phase === 'MAIL FROM' ? 'refused_for_now' : 'refused'],
    ] as const) {
      const server = await startServer(() => ({
        hidePIPELINING: how !== 'pipelined',
        ...atPhase(phase, (callback) =>
          callback(replied(reply, '5.7.1 zora@customer.example is not welcome')),
        ),
      }));
      expect(await outcomeOf(mailerTo(server.port))).toEqual({
        result,
        evidence: { code: 'EENVELOPE', command: phase, reply, status: '5.7.1' },
      });
      expect(server.mails).toEqual([]);
    }
  },
);

test.each(phases)('a server that shuts down at $phase ($how) leaves no doubt', async ({ how, phase }) => {
  const server = await startServer(() => ({
    hidePIPELINING: how !== 'pipelined',
    ...atPhase(phase, (callback) => callback(replied(421, 'closing'))),
  }));
  expect(await outcomeOf(mailerTo(server.port))).toMatchObject({
    result: 'refused_for_now',
    evidence: { reply: 421 },
  });
});

test('a server that cannot be reached, hangs up or says no before the greeting surely took nothing', async () => {
  const refused = mailerTo(await freePort());
  expect(await outcomeOf(refused)).toEqual({
    result: 'refused_for_now',
    evidence: { code: 'ESOCKET', cause: 'ECONNREFUSED', command: 'CONN' },
  });

  const rude = createServer((socket) => socket.destroy());
  const port = await freePort();
  await new Promise<void>((resolve) => rude.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => rude.close(() => resolve())));
  expect(await outcomeOf(mailerTo(port))).toMatchObject({
    result: 'refused_for_now',
    evidence: { code: expect.stringMatching(/^(ECONNECTION|ESOCKET)$/) },
  });

  for (const reply of [421, 554]) {
    const busy = await startServer(() => ({
      onConnect: (_session, callback) => callback(replied(reply, 'not now, zora@customer.example')),
    }));
    expect(await outcomeOf(mailerTo(busy.port))).toMatchObject({
      result: 'refused_for_now',
      evidence: { reply },
    });
  }

  const mute = await startServer(() => ({ onConnect: () => {} }));
  expect(await outcomeOf(mailerTo(mute.port, { timeoutMs: 300 }))).toMatchObject({
    result: 'refused_for_now',
    evidence: { code: 'ETIMEDOUT' },
  });
});

test.each([
  ['pipelined', false],
  ['one command at a time', true],
])('a connection lost before the final dot (%s) is a doubt', async (_how, hidePIPELINING) => {
  const server = await startServer((self) => ({
    hidePIPELINING,
    onData: (stream) => {
      stream.once('data', () => self().cut());
    },
  }));
  const html = `<p>${'Bonjour Zora. '.repeat(300_000)}</p>`;
  expect(await outcomeOf(mailerTo(server.port), aMail({ html }))).toMatchObject({ result: 'doubt' });
});

test.each([
  ['on a new connection', 0],
  ['on a connection that has sent mails before', 2],
])(
  'a connection lost after the final dot %s is a doubt, and nothing is sent again',
  async (_where, before) => {
    const server = await startServer(() => ({
      afterDot: (self, answer) => (self.mails.length > before ? self.cut() : answer()),
    }));
    const mailer = mailerTo(server.port);
    for (let n = 0; n < before; n += 1) expect((await outcomeOf(mailer)).result).toBe('sent');
    expect(await outcomeOf(mailer)).toMatchObject({
      result: 'doubt',
      evidence: { code: expect.stringMatching(/^(ECONNECTION|ESOCKET)$/) },
    });
    await mailer.close();
    expect([server.mails.length, server.connections()]).toEqual([before + 1, 1]);
  },
);

test('a server silent after the final dot is a doubt', async () => {
  const server = await startServer(() => ({ afterDot: () => {} }));
  expect(await outcomeOf(mailerTo(server.port, { timeoutMs: 300 }))).toMatchObject({
    result: 'doubt',
    evidence: { code: 'ETIMEDOUT' },
  });
});

test.each([
  [451, 'refused_for_now'],
  [421, 'refused_for_now'],
  [554, 'refused'],
])('the answer %i to the whole mail means that it is %s', async (reply, result) => {
  const server = await startServer(() => ({
    afterDot: (_self, answer) => answer(replied(reply, 'zora@customer.example would not like it')),
  }));
  expect(await outcomeOf(mailerTo(server.port))).toMatchObject({
    result,
    evidence: { code: 'EMESSAGE', command: 'DATA', reply },
  });
});

test('a mail that is larger than the server takes is refused', async () => {
  const server = await startServer(() => ({ size: 100, rejectOversized: true }));
  expect(await outcomeOf(mailerTo(server.port))).toMatchObject({
    result: 'refused',
    evidence: { reply: 552 },
  });
});

test.each([
  '',
  'zora',
  'zora@',
  '@customer.example',
  'zora@customer.example, other@customer.example',
  'Zora <zora@customer.example>',
  'zora@customer.example\r\nBcc: other@customer.example',
  'friends: zora@customer.example;',
  `${'z'.repeat(250)}@customer.example`,
])('an address that is none, or more than one, is refused without a connection: %j', async (to) => {
  const server = await startServer();
  expect(await outcomeOf(mailerTo(server.port), aMail({ to }))).toEqual({
    result: 'refused',
    evidence: { code: 'address_invalid' },
  });
  expect(server.connections()).toBe(0);
});

test('a line break in a subject adds no header', async () => {
  const server = await startServer();
  await outcomeOf(mailerTo(server.port), aMail({ subject: 'Hello\r\nX-Evil: yes' }));
  const mail = await simpleParser(server.mails[0] ?? '');
  expect(mail.headers.has('x-evil')).toBe(false);
});

test('after five lost connections the server is left alone, and tried again later', async () => {
  const port = await freePort();
  const mailer = mailerTo(port, { halfOpenAfterMs: 300 });
  for (let n = 0; n < 5; n += 1) {
    expect(await outcomeOf(mailer)).toMatchObject({ evidence: { cause: 'ECONNREFUSED' } });
  }
  expect(await outcomeOf(mailer)).toEqual({ result: 'refused_for_now', evidence: { breaker: 'open' } });

  const server = await startServer(() => ({}), port);
  await expect.poll(async () => (await outcomeOf(mailer)).result).toBe('sent');
  expect(server.mails).toHaveLength(1);
});

test('refusals do not make the mailer leave the server alone', async () => {
  let refusals = 0;
  const server = await startServer(() => ({
    onRcptTo: (_address, _session, callback) => {
      refusals += 1;
      callback(refusals <= 10 ? replied(550, 'no such user') : null);
    },
  }));
  const mailer = mailerTo(server.port);
  for (let n = 0; n < 10; n += 1) expect((await outcomeOf(mailer)).result).toBe('refused');
  expect((await outcomeOf(mailer)).result).toBe('sent');
});

test('closing lets a mail under way end and takes no new one', async () => {
  let answer: (() => void) | undefined;
  const server = await startServer(() => ({
    afterDot: (_self, callback) => {
      answer = () => callback();
    },
  }));
  const mailer = mailerTo(server.port);
  const sending = outcomeOf(mailer);
  await expect.poll(() => answer !== undefined).toBe(true);
  const closing = mailer.close();
  expect((await outcomeOf(mailer)).result).toBe('refused_for_now');
  answer?.();
  await closing;
  expect((await sending).result).toBe('sent');
  expect(server.mails).toHaveLength(1);
});

test.each(['', 'Lantern', 'a@lantern.example, b@lantern.example'])(
  'a sender that is not one address stops the start: %j',
  (from) => {
    expect(() => createMailer({ host: '127.0.0.1', port: 25, from, timeoutMs: 1_000 })).toThrow(
      expect.objectContaining({ code: 'settings_invalid', message: expect.stringContaining('EMAIL_FROM') }),
    );
  },
);

test('half a login stops the start', () => {
  const half = { host: '127.0.0.1', port: 25, from: 'a@lantern.example', timeoutMs: 1_000, username: 'oms' };
  expect(() => createMailer(half)).toThrow(
    expect.objectContaining({
      code: 'settings_invalid',
      message: expect.stringMatching(/SMTP_USERNAME.+SMTP_PASSWORD/),
    }),
  );
});
