// A worker thread that uses the library for the first time in its life, and says how that went. On the built library.
import { parentPort } from 'node:worker_threads'
import { Namespace } from '../../../dist/index.js'

async function use() {
  const namespace = await Namespace.create(undefined, { loopback: true })
  const events = namespace.watch(['link'])
  for await (const { type } of events) if (type === 'ready') break
  const [{ name }] = await namespace.links.list()
  return name
}

parentPort.postMessage(
  await use().then(
    value => ({ value }),
    ({ name, code, operation, message }) => ({ error: { name, code, operation, message } }),
  ),
)
