import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { messageOf } from '../../contracts/errors.ts';
import { natsServerFileName, readNatsServerVersion } from './nats-binary.ts';
import { fetchNatsDebianPackage } from './nats-debian.ts';
import { fetchNatsRelease, NATS_RELEASE, releasePlatform } from './nats-release.ts';

export type NatsServerSource = 'path' | 'cache' | 'release' | 'debian';

export interface NatsServer {
  readonly path: string;
  /** Without a leading v, such as `2.11.10`. */
  readonly version: string;
  readonly from: NatsServerSource;
}

export interface FindNatsServerOptions {
  /** Where fetched servers are kept; made when it is not there. */
  readonly cacheDir: string;
  readonly log: (line: string) => void;
  /** Where releases are fetched from; a mirror must have the same paths below it. */
  readonly releaseOrigin?: string;
  /** Folders to search, in the form of the PATH variable, which is the default. */
  readonly searchPath?: string;
  /** What may be tried, in this order; everything by default. */
  readonly sources?: readonly NatsServerSource[];
}

const WORK_PREFIX = 'fetching-';
const ABANDONED_AFTER_MS = 3_600_000;

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );

/** One folder per origin and platform: a cache that several machines share must not mix them up. */
const cachedPath = (cacheDir: string, from: 'release' | 'debian'): string => {
  const platform = releasePlatform() ?? `${process.platform}-${process.arch}`;
  const folder = from === 'release' ? `release-${NATS_RELEASE}-${platform}` : `debian-${platform}`;
  return join(cacheDir, folder, natsServerFileName);
};

/** The first of these files that is there and runs. */
async function firstThatRuns(paths: readonly string[], from: NatsServerSource): Promise<NatsServer> {
  const reasons: string[] = [];
  for (const path of paths) {
    if (!(await isFile(path))) continue;
    try {
      return { path, version: await readNatsServerVersion(path), from };
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  throw new Error(reasons.join('; ') || 'not there');
}

/** A process that was killed while fetching left its folder behind. */
async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(WORK_PREFIX)) continue;
    const folder = join(cacheDir, name);
    const age = await stat(folder).then(
      (stats) => Date.now() - stats.mtimeMs,
      () => 0,
    );
    if (age > ABANDONED_AFTER_MS) await rm(folder, { recursive: true, force: true });
  }
}

/** Fetches into a folder of its own and moves the checked binary into the cache in one step. */
async function fetchIntoCache(
  cacheDir: string,
  from: 'release' | 'debian',
  fetchBinary: (workDir: string) => Promise<string>,
): Promise<NatsServer> {
  await mkdir(cacheDir, { recursive: true });
  await removeAbandoned(cacheDir);
  const workDir = await mkdtemp(join(cacheDir, WORK_PREFIX));
  try {
    const binary = await fetchBinary(workDir);
    await chmod(binary, 0o755);
    const version = await readNatsServerVersion(binary);
    const path = cachedPath(cacheDir, from);
    await mkdir(join(path, '..'), { recursive: true });
    // On Windows a binary that another process has just placed and started cannot be replaced: then it is taken.
    await rename(binary, path).catch(async (error: unknown) => {
      if (!(await isFile(path))) throw error;
    });
    return { path, version, from };
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

const nothingFound = (tries: readonly string[]): string =>
  [
    'No NATS server was found on this machine and none could be fetched. What was tried:',
    ...tries.map((line) => `  - ${line}`),
    'Any one of these mends it:',
    '  - install nats-server 2.9 or newer, so that the command nats-server works in your terminal',
    '  - run a NATS server elsewhere and set NATS_URL to its address, for example NATS_URL=nats://127.0.0.1:4222',
    '  - allow this machine to reach github.com or, on Debian and Ubuntu, the package mirror of the system' +
      ' (behind a proxy set HTTPS_PROXY and NODE_USE_ENV_PROXY=1)',
  ].join('\n');

/**
 * Finds a NATS server that runs on this machine: on PATH, fetched earlier into `cacheDir`, or fetched now: the
 * official release, else the package of Debian or Ubuntu. Fetching may take a minute on a slow line and is told to
 * `log`. Two processes may do it at once.
 * @throws Error that lists every try with its reason, and what the user can do.
 */
export async function findNatsServer(options: FindNatsServerOptions): Promise<NatsServer> {
  const { cacheDir, log, sources = ['path', 'cache', 'release', 'debian'] } = options;
  const { releaseOrigin = 'https://github.com', searchPath = process.env.PATH ?? '' } = options;
  const folders = searchPath.split(delimiter).filter((folder) => folder !== '');

  const tries: Record<NatsServerSource, { name: string; find: () => Promise<NatsServer> }> = {
    path: {
      name: 'nats-server on PATH',
      find: () =>
        firstThatRuns(
          folders.map((folder) => join(folder, natsServerFileName)),
          'path',
        ),
    },
    cache: {
      name: `a server fetched earlier into ${cacheDir}`,
      find: () => firstThatRuns([cachedPath(cacheDir, 'release'), cachedPath(cacheDir, 'debian')], 'cache'),
    },
    release: {
      name: `the official release ${NATS_RELEASE}`,
      find: () => {
        log(`fetching nats-server ${NATS_RELEASE} from ${releaseOrigin}`);
        return fetchIntoCache(cacheDir, 'release', (workDir) =>
          fetchNatsRelease({ origin: releaseOrigin, workDir }),
        );
      },
    },
    debian: {
      name: "the Debian or Ubuntu system's package",
      find: () => {
        log("fetching nats-server from the system's package mirror, without installing it");
        return fetchIntoCache(cacheDir, 'debian', (workDir) => fetchNatsDebianPackage({ workDir }));
      },
    },
  };

  const failed: string[] = [];
  for (const source of sources) {
    const { name, find } = tries[source];
    try {
      return await find();
    } catch (error) {
      failed.push(`${name}: ${messageOf(error)}`);
      if (source === 'release' || source === 'debian') log(`that did not work: ${messageOf(error)}`);
    }
  }
  throw new Error(nothingFound(failed));
}
