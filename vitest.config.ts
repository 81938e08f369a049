import { defineConfig } from 'vitest/config';

const UNIT = 'test/unit/**/*.test.ts';

export default defineConfig({
  test: {
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
