// Test runner settings: one project per directory of test/, forked processes, and a last line that counts.

import { defineConfig } from 'vitest/config'
import { endingForks } from './test/helpers/ending-forks.js'
import { patience } from './test/helpers/patience.js'
import { SummaryReporter } from './test/helpers/reporter.js'

/** Directories whose tests need neither root nor the addon: they run anywhere. */
const plain = ['unit', 'types', 'golden', 'fuzz']
/** Directories whose tests touch the kernel: they refuse to run outside scripts/isolated.mjs. */
const kernel = ['kernel', 'oracle', 'lifecycle', 'isolation', 'examples', 'docs']

/** Directories that fill what all namespaces of a kernel share, such as its table of neighbours: they run after the others. */
const crowded = ['lifecycle']

const project = (name: string, setupFiles: string[]) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    setupFiles,
    sequence: { groupOrder: crowded.includes(name) ? 1 : 0 },
    // The kernel changes some of what is compared by itself between two readings (multicast neighbours, devices that go late): then once more.
    retry: setupFiles.length > 0 ? 2 : 0,
  },
})

/** What watches the addon, or counts what runs of it, says so when its process ends. */
const watched = process.env.NETLOOM_COVERAGE !== undefined || process.env.NETLOOM_SANITIZER === 'asan'

export default defineConfig({
  // Node 20 cannot parse `await using`.
  oxc: { target: 'es2022' },
  test: {
    // Kernel tests share one kernel, but each file has a process and a host namespace of its own, so that files may run side by side.
    pool: endingForks(watched),
    maxWorkers: 2,
    // Far more than any test takes: it only keeps one that hangs from holding up the suite, also where ten others want the same processors.
    testTimeout: patience(120_000),
    hookTimeout: patience(120_000),
    expect: { poll: { timeout: patience(1_000) } },
    // Where processes end by themselves, somebody may look at them for a while first.
    teardownTimeout: patience(60_000),
    passWithNoTests: true,
    reporters: ['default', new SummaryReporter()],
    projects: [...plain.map(name => project(name, [])), ...kernel.map(name => project(name, ['test/helpers/kernel-file.ts']))],
  },
})
