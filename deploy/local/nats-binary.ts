import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

// Older servers lack what our streams and consumers use.
const OLDEST_MAJOR = 2;
const OLDEST_MINOR = 9;

export const natsServerFileName = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';

/**
 * Runs the binary and returns its version, such as `2.11.10`.
 * @throws Error when it does not run on this machine, does not say a version, or is older than 2.9.
 */
export async function readNatsServerVersion(path: string): Promise<string> {
  const { stdout } = await run(path, ['--version'], { timeout: 10_000, windowsHide: true });
  const version = /v?(\d+)\.(\d+)\.(\d+)/.exec(stdout);
  if (version === null) throw new Error(`${path} does not tell its version`);
  const [major, minor] = [Number(version[1]), Number(version[2])];
  if (major < OLDEST_MAJOR || (major === OLDEST_MAJOR && minor < OLDEST_MINOR)) {
    throw new Error(
      `${path} is version ${version[0]}, and at least ${OLDEST_MAJOR}.${OLDEST_MINOR} is needed`,
    );
  }
  return version[0].replace(/^v/, '');
}
