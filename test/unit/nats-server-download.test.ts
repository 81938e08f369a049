import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../deploy/local/free-port.ts';
import { NATS_RELEASE, releasePlatform } from '../../deploy/local/nats-release.ts';
import { findNatsServer } from '../../deploy/local/nats-server.ts';

const folder = `nats-server-v${NATS_RELEASE}-${releasePlatform()}`;
const archiveName = `${folder}.tar.gz`;
const releasePath = `/nats-io/nats-server/releases/download/v${NATS_RELEASE}`;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function aFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'nats-download-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function writeProgram(path: string, version: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  chmodSync(path, 0o755);
}

function anArchive(version = NATS_RELEASE): Buffer {
  const dir = aFolder();
  writeProgram(join(dir, folder, 'nats-server'), version);
  execFileSync('tar', ['-czf', join(dir, archiveName), '-C', dir, folder]);
  return readFileSync(join(dir, archiveName));
}

const sumOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A release on loopback; a file that is `'silent'` is asked for and never answered. */
async function aRelease(files: Record<string, string | Buffer | 'silent'>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const name = (request.url ?? '').replace(`${releasePath}/`, '');
    asked.push(name);
    const body = files[name];
    if (body === 'silent') return;
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { origin: `http://127.0.0.1:${port}`, asked };
}

const goodRelease = (archive = anArchive()) =>
  aRelease({
    [archiveName]: archive,
    SHA256SUMS: `${'0'.repeat(64)}  other.zip\n${sumOf(archive)}  ${archiveName}\n`,
  });

const find = (cacheDir: string, releaseOrigin: string) =>
  findNatsServer({
    cacheDir,
    releaseOrigin,
    searchPath: '',
    sources: ['path', 'cache', 'release'],
    log: () => {},
  });

test('the official release is fetched, verified and kept for the next time', async () => {
  const cacheDir = aFolder();
  const { origin, asked } = await goodRelease();

  const fetched = await find(cacheDir, origin);
  const again = await find(cacheDir, origin);

  expect(fetched).toMatchObject({ version: NATS_RELEASE, from: 'release' });
  expect(again).toEqual({ ...fetched, from: 'cache' });
  expect(asked).toEqual(['SHA256SUMS', archiveName]);
  expect(readdirSync(cacheDir)).toHaveLength(1);
});

test('two searches at once both end with the same server', async () => {
  const cacheDir = aFolder();
  const { origin } = await goodRelease();
  const [one, other] = await Promise.all([find(cacheDir, origin), find(cacheDir, origin)]);
  expect(one.path).toBe(other.path);
  expect(readdirSync(cacheDir)).toHaveLength(1);
});

test('a tampered archive is refused and deleted', async () => {
  const cacheDir = aFolder();
  const archive = anArchive();
  const { origin } = await aRelease({
    [archiveName]: Buffer.concat([archive, Buffer.from('x')]),
    SHA256SUMS: `${sumOf(archive)}  ${archiveName}\n`,
  });
  await expect(find(cacheDir, origin)).rejects.toThrow(/does not match its checksum .* it was deleted/);
  expect(readdirSync(cacheDir)).toEqual([]);
});

test.each([
  ['has no checksums', { [archiveName]: 'x' }, /SHA256SUMS answered HTTP 404/],
  [
    'does not list the archive',
    { SHA256SUMS: `${'0'.repeat(64)}  other.zip\n` },
    /does not list nats-server-v/,
  ],
  ['has no archive', { SHA256SUMS: `${'0'.repeat(64)}  ${archiveName}\n` }, /tar\.gz answered HTTP 404/],
])('a release that %s is refused', async (_case, files, reason) => {
  const cacheDir = aFolder();
  const { origin } = await aRelease(files);
  await expect(find(cacheDir, origin)).rejects.toThrow(reason);
  expect(readdirSync(cacheDir)).toEqual([]);
});

test('a source that says nothing is given up after a few seconds', async () => {
  const { origin } = await aRelease({ SHA256SUMS: 'silent' });
  await expect(find(aFolder(), origin)).rejects.toThrow(/nothing came from .* for 5 seconds/);
});

test('a server that is too old or does not run is passed over, and the reasons are told', async () => {
  const oldDir = aFolder();
  const brokenDir = aFolder();
  writeProgram(join(oldDir, 'nats-server'), '2.8.4');
  writeFileSync(join(brokenDir, 'nats-server'), 'not a program', { mode: 0o755 });
  const { origin } = await goodRelease(anArchive('2.7.0'));

  const search = findNatsServer({
    cacheDir: aFolder(),
    releaseOrigin: origin,
    searchPath: `${oldDir}:${brokenDir}`,
    sources: ['path', 'cache', 'release'],
    log: () => {},
  });

  const message = await search.then(
    () => '',
    (error: Error) => error.message,
  );
  expect(message).toMatch(/version v?2\.8\.4, and at least 2\.9 is needed/);
  expect(message).toContain(join(brokenDir, 'nats-server'));
  expect(message).toMatch(/version v?2\.7\.0/);
  expect(message).toMatch(/set NATS_URL/);
});

test('a server on PATH is taken before anything is fetched', async () => {
  const dir = aFolder();
  writeProgram(join(dir, 'nats-server'), '2.12.1');
  const cacheDir = join(aFolder(), 'never-made');
  const found = await findNatsServer({ cacheDir, searchPath: dir, log: () => {} });
  expect(found).toEqual({ path: join(dir, 'nats-server'), version: '2.12.1', from: 'path' });
  expect(existsSync(cacheDir)).toBe(false);
});
