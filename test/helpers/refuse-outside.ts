// Loaded before every test file that touches the kernel: outside scripts/isolated.mjs such a file does not even begin.

import { isIsolated } from '../../scripts/machine.mjs'

if (!isIsolated())
  throw new Error('this test touches the kernel: run it in isolation, with npm test or node scripts/isolated.mjs npx vitest run')
