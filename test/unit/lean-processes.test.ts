import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { LEAN, ONE_PROCESS, SERVICES } from '../../deploy/local/stack.ts';
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
