// Makes and removes names of namespaces in the way that its first argument says, until it is killed or done. On the built library.
import { writeSync } from 'node:fs'
import process from 'node:process'
import { Namespace } from '../../dist/index.js'

const [way, prefix, count] = process.argv.slice(2)
const say = line => writeSync(1, `${line}\n`)
const names = Array.from({ length: Number(count) }, (_, i) => `${prefix}${i}`)

const ways = {
  /** One by one, some at a time, for ever. */
  one: async () => {
    const own = async name => {
      for (;;) await (await Namespace.create(name, { loopback: true })).delete()
    }
    await Promise.all(names.map(own))
  },
  make: () => Namespace.createMany(names),
  remove: () => Namespace.deleteMany(names.map(name => ({ name }))),
}
say('begun')
await ways[way]()
say('done')
