import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { natsServerFileName } from './nats-binary.ts';

const run = promisify(execFile);

/** The release that a fresh machine fetches. */
export const NATS_RELEASE = '2.11.10';

const OPERATING_SYSTEMS = new Map<string, string>([
  ['linux', 'linux'],
  ['darwin', 'darwin'],
  ['win32', 'windows'],
]);
const ARCHITECTURES = new Map<string, string>([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
]);

const SILENCE_MS = 5_000;
const MAX_SUMS_BYTES = 1_000_000;
// The archives are 6 to 8 MB.
const MAX_ARCHIVE_BYTES = 100_000_000;

/** How the release names this machine, such as `linux-amd64`, or undefined when there is no archive for it. */
export function releasePlatform(): string | undefined {
  const system = OPERATING_SYSTEMS.get(process.platform);
  const architecture = ARCHITECTURES.get(process.arch);
  return system === undefined || architecture === undefined ? undefined : `${system}-${architecture}`;
}

const whyFetchFailed = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
};

/** The body of an answer piece by piece; silence before or within it, a bad status or too much of it is an error. */
async function* receive(url: string, maxBytes: number): AsyncGenerator<Uint8Array> {
  const abort = new AbortController();
  const silence = setTimeout(
    () => abort.abort(new Error(`nothing came from ${url} for ${SILENCE_MS / 1000} seconds`)),
    SILENCE_MS,
  );
  try {
    const response = await fetch(url, { signal: abort.signal }).catch((error: unknown) => {
      throw new Error(`could not reach ${url}: ${whyFetchFailed(error)}`, { cause: error });
    });
    if (!response.ok || response.body === null) throw new Error(`${url} answered HTTP ${response.status}`);
    let bytes = 0;
    for await (const chunk of response.body) {
      silence.refresh();
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw new Error(`${url} sent more than ${maxBytes} bytes`);
      yield chunk;
    }
  } finally {
    clearTimeout(silence);
    abort.abort();
  }
}

/** SHA256SUMS as a map from file name to checksum in lower case hex. */
async function fetchChecksums(releaseUrl: string): Promise<ReadonlyMap<string, string>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of receive(`${releaseUrl}/SHA256SUMS`, MAX_SUMS_BYTES)) chunks.push(chunk);
  const lines = Buffer.concat(chunks)
    .toString('utf8')
    .matchAll(/^([0-9a-f]{64})\s+\*?(\S+)\s*$/gim);
  return new Map(Array.from(lines, ([, sum = '', name = '']) => [name, sum.toLowerCase()]));
}

async function downloadAndHash(url: string, file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(
    receive(url, MAX_ARCHIVE_BYTES),
    async function* hashed(chunks) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(file),
  );
  return hash.digest('hex');
}

/**
 * Fetches the official archive for this machine into `workDir`, verifies it against the SHA256SUMS of the same
 * release, unpacks it with the system's `tar` and returns the path of the binary within `workDir`.
 * @throws Error with the reason in words; an archive that does not match its checksum is deleted first.
 */
export async function fetchNatsRelease({
  origin,
  workDir,
}: {
  origin: string;
  workDir: string;
}): Promise<string> {
  const platform = releasePlatform();
  if (platform === undefined) {
    throw new Error(`there is no release for ${process.platform} on ${process.arch}`);
  }
  const releaseUrl = `${origin}/nats-io/nats-server/releases/download/v${NATS_RELEASE}`;
  const checksums = await fetchChecksums(releaseUrl);
  const folder = `nats-server-v${NATS_RELEASE}-${platform}`;
  const archiveName = [`${folder}.tar.gz`, `${folder}.zip`].find((name) => checksums.has(name));
  if (archiveName === undefined) throw new Error(`${releaseUrl}/SHA256SUMS does not list ${folder}.tar.gz`);

  const archive = join(workDir, archiveName);
  const sum = await downloadAndHash(`${releaseUrl}/${archiveName}`, archive);
  if (sum !== checksums.get(archiveName)) {
    await rm(archive, { force: true });
    throw new Error(`${archiveName} does not match its checksum (its SHA-256 is ${sum}); it was deleted`);
  }

  const unpacked = join(workDir, 'unpacked');
  await mkdir(unpacked);
  // `-o`: as root the files become root's and not those of whoever has the builder's user number here.
  const extract = archiveName.endsWith('.zip') ? '-xof' : '-xozf';
  await run('tar', [extract, archive, '-C', unpacked], { timeout: 60_000, windowsHide: true });
  return join(unpacked, folder, natsServerFileName);
}
