// Loaded before an example (node --import): stops it at its first clean-up, while everything that it made still stands, until the test has looked.
import { once } from 'node:events'
import { Namespace, Plan } from 'netloom'

/** One pause for all: what is removed at the same time waits for it together. */
let looked

async function pause() {
  process.send?.('standing')
  // Without an answer, because the test is gone, the example cleans up all the same.
  await Promise.race([once(process, 'message'), once(process, 'disconnect')])
  if (process.connected) process.disconnect()
}

function pausing(owner) {
  for (const method of ['delete', Symbol.asyncDispose]) {
    const original = owner[method]
    owner[method] = async function (...options) {
      looked ??= pause()
      await looked
      return original.apply(this, options)
    }
  }
  return owner
}

pausing(Namespace.prototype)
const { apply } = Plan.prototype
Plan.prototype.apply = async function (options) {
  return pausing(await apply.call(this, options))
}
