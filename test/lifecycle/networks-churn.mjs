// A program that connects and disconnects namespaces on a shared network until it is killed. On the built library.

import process from 'node:process'
import { Namespace, Networks } from '../../dist/index.js'

const [host, stateDir, network, ...names] = process.argv.slice(2)
const networks = await Networks.open({ stateDir, host: await Namespace.open({ name: host }) })
const net = await networks.get(network)
// What the one before was killed in the middle of may have left them connected.
for (const name of names) for (const endpoint of await networks.endpoints({ name })) await endpoint.disconnect()
process.stdout.write('ready\n')
for (let round = 0; ; round++) {
  if (round % 3 === 0) await net.connectMany(names.map(name => ({ name })))
  else for (const name of names) await net.connect({ name }, { name: `${name}.${round}` })
  await net.disconnectMany(names.map(name => ({ name })))
}
