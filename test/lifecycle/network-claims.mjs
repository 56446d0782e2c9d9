// A program that takes and gives back addresses of a network in a state folder until it is killed. On the built library.

import { randomBytes } from 'node:crypto'
import process from 'node:process'
import { State } from '../../dist/network/state.js'
import { Allocator } from '../../dist/network/state-allocate.js'

const [folder, network] = process.argv.slice(2)
const { state } = await State.open(folder, 'test')
/** Nothing in the kernel belongs to these records. */
const recover = async () => undefined
const mine = []

process.stdout.write('ready\n')
for (let round = 0; ; round++) {
  const gone = mine.length > 3 || (mine.length > 0 && round % 3 === 0) ? mine.splice(0, 2) : []
  await state.change(async () => {
    const record = await state.network(network)
    const allocator = new Allocator(state, record)
    const records = []
    for (let i = 0; i < 2; i++)
      records.push({
        ...{ kind: 'endpoint', id: randomBytes(32).toString('hex'), network, created: '', aliases: [], gatewayPriority: 0 },
        name: `n${process.pid}-${round}-${i}`,
        namespace: { key: `c${process.pid % 5}`, device: 4, inode: 1 },
        addresses: await allocator.allocate(),
      })
    await state.intend(records)
    await state.claimEndpoints(records)
    await allocator.save()
    await state.commitEndpoints(records)
    await state.retireEndpoints(gone)
    for (const one of gone) await state.forget(one)
    mine.push(...records)
  }, recover)
}
