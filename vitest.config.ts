// Test runner settings: one project per directory of test/, forked processes, and a last line that counts.

import { defineConfig } from 'vitest/config'
import { SummaryReporter } from './test/helpers/reporter.js'

/** Directories whose tests need neither root nor the addon, so they run anywhere. */
const plain = ['unit', 'types', 'golden', 'fuzz']
/** Directories whose tests touch the kernel: they refuse to run outside scripts/isolated.mjs. */
const kernel = ['kernel', 'oracle', 'lifecycle', 'isolation', 'examples', 'docs']

export default defineConfig({
  // Node 20 cannot parse `await using`.
  oxc: { target: 'es2022' },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    passWithNoTests: true,
    reporters: ['default', new SummaryReporter()],
    projects: [
      ...plain.map(name => ({ extends: true as const, test: { name, include: [`test/${name}/**/*.test.ts`] } })),
      ...kernel.map(name => ({ extends: true as const, test: { name, include: [`test/${name}/**/*.test.ts`] } })),
    ],
  },
})
