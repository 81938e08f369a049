import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const DOWNLOAD_MS = 60_000;
const UPDATE_MS = 180_000;

const isProcessFailure = (error: unknown): error is Error & { stderr: string } =>
  error instanceof Error && 'stderr' in error && typeof error.stderr === 'string';

/** What apt itself complained about, or why it did not run. */
function whyAptFailed(error: unknown): string {
  if (!isProcessFailure(error)) return String(error);
  const complaints = error.stderr.split('\n').filter((line) => /^(E|W|Err)\b/.test(line));
  return complaints.slice(0, 3).join(' ') || error.message;
}

async function apt(
  args: readonly string[],
  { cwd, timeoutMs }: { cwd: string; timeoutMs: number },
): Promise<void> {
  const limits = ['Acquire::http::Timeout=5', 'Acquire::https::Timeout=5', 'Acquire::Retries=0'];
  // As root apt would fetch as the user _apt, who may not write into our folder.
  const options = process.getuid?.() === 0 ? [...limits, 'APT::Sandbox::User=root'] : limits;
  const flags = ['-q', ...options.flatMap((option) => ['-o', option])];
  const env = { ...process.env, LC_ALL: 'C' };
  await run('apt-get', [...flags, ...args], { cwd, env, timeout: timeoutMs });
}

/** Package lists of our own in `workDir`, fetched from the system's sources: needs no rights and changes no system. */
async function fetchPrivateLists(workDir: string): Promise<readonly string[]> {
  const lists = join(workDir, 'lists');
  const cache = join(workDir, 'cache');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  const options = [`Dir::State::lists=${lists}/`, `Dir::Cache=${cache}/`, 'Acquire::Languages=none'];
  const flags = options.flatMap((option) => ['-o', option]);
  await apt([...flags, 'update'], { cwd: workDir, timeoutMs: UPDATE_MS });
  return flags;
}

/**
 * Fetches the distribution's package on Debian and its relatives, without installing it, and returns the path of
 * the binary within `workDir`. Apt verifies the package by the signatures of the system's sources. Works as root
 * and as an ordinary user; when the system has no package lists or outdated ones, it fetches private ones first.
 * @throws Error with the reason in words.
 */
export async function fetchNatsDebianPackage({ workDir }: { workDir: string }): Promise<string> {
  const { stdout } = await run('dpkg', ['--print-architecture']).catch((error: unknown) => {
    throw new Error('this is not a Debian-like system: it has no dpkg', { cause: error });
  });
  const download = ['download', `nats-server:${stdout.trim()}`];
  const there = { cwd: workDir, timeoutMs: DOWNLOAD_MS };

  await apt(download, there).catch(async (firstError: unknown) => {
    try {
      const privateLists = await fetchPrivateLists(workDir);
      await apt([...privateLists, ...download], there);
    } catch (error) {
      const reasons = `${whyAptFailed(firstError)}; with fresh package lists: ${whyAptFailed(error)}`;
      throw new Error(`apt-get could not fetch the package: ${reasons}`, { cause: error });
    }
  });

  const archive = (await readdir(workDir)).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt-get said it fetched the package, but there is none');
  const unpacked = join(workDir, 'unpacked');
  await run('dpkg', ['-x', join(workDir, archive), unpacked], { timeout: DOWNLOAD_MS });
  const files = await readdir(unpacked, { recursive: true });
  const binary = files.find((name) => /(^|\/)s?bin\/nats-server$/.test(name));
  if (binary === undefined) throw new Error(`the package ${archive} holds no nats-server`);
  return join(unpacked, binary);
}
