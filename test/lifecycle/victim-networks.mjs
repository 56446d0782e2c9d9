// Connects namespaces to a network and disconnects them, saying what it does; to be killed at any moment. On the built library.
import { writeSync } from 'node:fs'
import process from 'node:process'
import { Namespace, Networks } from '../../dist/index.js'

const [host, stateDir, network, ...names] = process.argv.slice(2)
const say = line => writeSync(1, `${line}\n`)
const networks = await Networks.open({ stateDir, host: await Namespace.open({ name: host }) })
const net = await networks.get(network)
const [first, ...others] = names
say('connecting')
const endpoints = [
  await net.connect({ name: first }, { publish: [{ containerPort: 80, hostPort: 8080 }], aliases: ['web'] }),
  ...(await net.connectMany(others.map(name => ({ name })))),
]
say('connected')
for (const endpoint of endpoints) await endpoint.disconnect()
say('disconnected')
await networks.close()
