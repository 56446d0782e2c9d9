// A program that connects and disconnects namespaces on a shared network until it is killed, and keeps a diary of what it has. On the built library.

import { openSync, writeSync } from 'node:fs'
import process from 'node:process'
import { Namespace, Networks } from '../../dist/index.js'

const [host, stateDir, network, diary, ...names] = process.argv.slice(2)
const contested = '10.67.0.30'
const book = openSync(diary, 'a')
/** One write each, which the kernel puts behind all others: what is read there is the order in which it happened. */
const note = (word, { id, addresses, ports }) => {
  const things = [...addresses, ...ports.map(({ protocol, hostIp, hostPort }) => `${hostIp}:${hostPort}/${protocol}`)]
  writeSync(book, things.map(thing => `${word} ${thing} ${id}\n`).join(''))
}

const networks = await Networks.open({ stateDir, host: await Namespace.open({ name: host }) })
const net = await networks.get(network)
const have = async (...endpoints) => {
  for (const one of await Promise.all(endpoints)) note('has', one)
}
const giveAll = async () => {
  for (const name of names)
    for (const endpoint of await networks.endpoints({ name })) {
      note('gives', endpoint)
      await endpoint.disconnect()
    }
}
// What the one before was killed in the middle of may have left them connected.
await giveAll()
await (await networks.find(`own-${names[0]}`))?.delete({ force: true })
process.stdout.write('ready\n')
for (let round = 0; ; round++) {
  if (round % 4 === 0) await have(...(await net.connectMany(names.map(name => ({ name })))))
  else if (round % 4 === 1) {
    // One of all that ask for it has this address.
    const asked = net.connect({ name: names[0] }, { ip: contested, publish: [{ containerPort: 80 }] })
    const endpoint = await asked.catch(error => {
      if (error.code !== 'EADDRINUSE') throw error
    })
    if (endpoint) await have(endpoint)
  } else if (round % 4 === 2) for (const name of names) await have(net.connect({ name }, { name: `${name}.${round}` }))
  else {
    const own = await networks.create({ name: `own-${names[0]}`, internal: true })
    await have(own.connect({ name: names[0] }))
    await giveAll()
    await own.delete()
  }
  await giveAll()
}
