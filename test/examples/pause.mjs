// Loaded before an example (node --import): stops it at its first clean-up, while everything that it made still stands, until the test has looked.
import { once } from 'node:events'
import { Namespace } from 'netloom'

/** One pause for all: what is removed at the same time waits for it together. */
let looked

async function pause() {
  process.send?.('standing')
  // Without an answer, because the test is gone, the example cleans up all the same.
  await Promise.race([once(process, 'message'), once(process, 'disconnect')])
  if (process.connected) process.disconnect()
}

for (const method of ['delete', Symbol.asyncDispose]) {
  const original = Namespace.prototype[method]
  Namespace.prototype[method] = async function () {
    looked ??= pause()
    await looked
    return original.call(this)
  }
}
