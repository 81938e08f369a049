import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const UNIT = 'test/unit/**/*.test.ts';

/** Whole systems first: begun last, the longest of them would run on alone when all others have ended. */
class WholeSystemsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isWhole = ({ moduleId }: TestSpecification): boolean => /\/test\/(fault|e2e)\//.test(moduleId);
    return [...sorted.filter(isWhole), ...sorted.filter((file) => !isWhole(file))];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: WholeSystemsFirst },
    // Most of the time is waiting for real servers and timers; more workers than this wait for the processor instead.
    maxWorkers: 3,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    projects: [
      {
        extends: true,
        // Without servers, sockets or anything else to leave behind, files share the modules that one of them loaded.
        test: { name: 'unit', include: [UNIT], isolate: false },
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
