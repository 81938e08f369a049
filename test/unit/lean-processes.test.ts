import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { LEAN, ONE_PROCESS, SERVICES } from '../../deploy/local/stack.ts';
import { poolSize } from '../../services/store/pool.ts';
import { PROJECT } from '../fixtures/compose-file.ts';

const read = (file: string): string => readFileSync(join(PROJECT, file), 'utf8');

test('a service has the same room for young objects in a container and by npm as in the local stack', () => {
  const image = read('deploy/Dockerfile');
  for (const [name, value] of Object.entries(LEAN)) expect(image).toContain(`${name}=${value}`);
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(read('package.json')));
  for (const name of Object.keys({ ...SERVICES, ...ONE_PROCESS }))
    expect(scripts[`start:${name}`]).toContain(` ${LEAN.NODE_OPTIONS} `);
});

test.each([
  [1, 3, 5],
  [2, 3, 5],
  [4, 4, 6],
])('on %i cores a pool of four is one of %i, and one of six one of %i', (cores, four, six) => {
  expect([poolSize(4, cores), poolSize(6, cores)]).toEqual([four, six]);
});

/** What a file imports before it runs: types are gone by then, and a dynamic import waits. */
const STATIC_IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^'"`;]*?\bfrom\s*)?'([^']+)'/gm;

/** Packages that are loaded with a file of ours, and with all that it imports. */
function packagesOf(main: string): Set<string> {
  const packages = new Set<string>();
  const files = new Set([main]);
  for (const file of files)
    for (const [, name = ''] of read(file).matchAll(STATIC_IMPORT)) {
      if (name.startsWith('.')) files.add(join(dirname(file), name));
      else packages.add(name);
    }
  return packages;
}

test('no process starts with MikroORM in its memory: who needs it loads it then', () => {
  for (const main of Object.values({ ...SERVICES, ...ONE_PROCESS })) {
    const packages = [...packagesOf(main)];
    expect(packages).toEqual(expect.arrayContaining(['pg', 'nats']));
    expect(packages.filter((name) => name.startsWith('@mikro-orm/') || name === 'kysely')).toEqual([]);
  }
  expect([...packagesOf('services/store/orm.ts')]).toContain('@mikro-orm/postgresql');
});

test('only the order host starts with the machines in its memory', () => {
  const steps = (main: string): boolean => packagesOf(main).has('xstate');
  expect(Object.values(SERVICES).filter(steps)).toEqual([SERVICES.orders]);
});
