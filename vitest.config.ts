import { defineConfig } from 'vitest/config'

const folders = '{core,host,quota,topics,collectors,processors,dashboards,sandbox,app,scripts,bench}'

/** `unit` needs no server and no child process; `e2e` starts processes, a browser, the sandbox; `stack` and `soak` need real servers. */
export default defineConfig({
  test: {
    isolate: false,
    maxWorkers: 2,
    reporters: ['dot', './test/closing.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${folders}/**/*.test.ts`, 'test/unit/**/*.test.ts'],
          isolate: false,
          // A busy machine is no fault of the code.
          testTimeout: 60_000,
          expect: { poll: { timeout: 15_000 } },
        },
      },
      ...['stack', 'soak'].map(name => ({
        test: {
          name,
          // Real servers, started once for the whole run: `npm run test:stack`, `npm run test:soak`.
          include: [`${folders}/**/*.${name}.ts`, `test/**/*.${name}.ts`],
          globalSetup: './test/stack/global-setup.ts',
          // Skips the files whose servers can not run on this machine.
          runner: './test/stack/runner.ts',
          isolate: false,
          fileParallelism: false,
          // A busy machine is no fault of the code: alone, the longest takes about two minutes.
          testTimeout: 900_000,
          hookTimeout: 300_000,
        },
      })),
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/cli/**/*.test.ts'],
          isolate: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 15_000 } },
        },
      },
    ],
  },
})
