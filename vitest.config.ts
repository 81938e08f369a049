import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Each file has a process of its own: what Node made of the packages for one serves the others. */
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('.cache/node', import.meta.url));

const UNIT = 'test/unit/**/*.test.ts';

/** Begun late, it would run on alone when all others have ended; a fresh clone knows of its files their sizes only. */
const LONGEST = /\/fault-run\.test\.ts$/;

/**
 * Whole systems, which need the processor, take turns with the files that mostly wait. The files of one project follow one
 * another: a worker that goes on with the other one begins anew, and loads all modules again.
 */
class WholeSystemsBetween extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isUnit = ({ project }: TestSpecification): boolean => project.name === 'unit';
    const isWhole = ({ moduleId }: TestSpecification): boolean => /\/test\/(fault|e2e)\//.test(moduleId);
    const isLongest = ({ moduleId }: TestSpecification): number => Number(LONGEST.test(moduleId));
    const whole = sorted.filter(isWhole).sort((one, other) => isLongest(other) - isLongest(one));
    const others = sorted.filter((file) => !isUnit(file) && !isWhole(file));
    const servers = whole.flatMap((file) => [file, ...others.splice(0, 2)]).concat(others);
    return [...servers, ...sorted.filter(isUnit)];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: WholeSystemsBetween },
    // Most of a short file is loading its modules: files share those that one of them loaded.
    isolate: false,
    // Most of the time is waiting for real servers and timers; more workers than this wait for the processor instead.
    maxWorkers: 5,
    // On a busy machine whatever works takes longer, and only what does not work should fail.
    testTimeout: 180_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000, interval: 25 } },
    teardownTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: [UNIT] },
      },
      {
        extends: true,
        test: {
          name: 'servers',
          include: ['test/**/*.test.ts'],
          exclude: [UNIT, 'test/bench/**'],
          globalSetup: ['test/fixtures/global-servers.ts'],
        },
      },
    ],
  },
});
