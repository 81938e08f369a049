import { expect, test } from 'vitest';
import { isOutage } from '../../services/store/outage.ts';

const failure = (code: string, more: object = {}): Error =>
  Object.assign(new Error('what the driver says'), { code }, more);

test.each([
  ['a name that cannot be looked up just now', failure('EAI_AGAIN', { syscall: 'getaddrinfo' })],
  ['a name that is not there yet', failure('ENOTFOUND', { syscall: 'getaddrinfo' })],
  ['a port where nobody listens', failure('ECONNREFUSED')],
  ['a standby that nobody has promoted yet, or a disk so full that nothing may be written', failure('25006')],
  ['a server that starts up', failure('57P03')],
  ['a disk of the server that fails', failure('58030')],
  ['a file of the server that its quota lets grow no more', failure('XX000', { file: 'md.c' })],
  ['a file system of the server that takes no writes any more', failure('42501', { file: 'fd.c' })],
  ['a connection that was lost', new Error('Connection terminated unexpectedly')],
  ['one of them as the cause', new Error('query failed', { cause: failure('EAI_AGAIN') })],
])('%s is an outage: the same can be done later', (_, error) => {
  expect(isOutage(error)).toBe(true);
});

test.each([
  ['a value that its column cannot hold', failure('22P05')],
  ['an error inside the server', failure('XX000', { file: 'execMain.c' })],
  ['a table that this login may not read', failure('42501', { file: 'aclchk.c' })],
  ['a file that is not there', failure('ENOENT', { path: '/srv/templates', syscall: 'open' })],
  ['a call that Node refuses', failure('ERR_INVALID_ARG_TYPE')],
  ['a text that is no JSON', new SyntaxError('Unterminated string in JSON at position 5')],
])('%s is none: the same would fail again', (_, error) => {
  expect(isOutage(error)).toBe(false);
});
