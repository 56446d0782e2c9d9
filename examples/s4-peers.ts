// S4: who is at the other end: of a veth, of a process's eth0; and which devices cannot leave their namespace.
import { Namespace, NetloomError } from 'netloom'

// A namespace that plays the host, so that your machine stays as it is; Namespace.current() would be the real one.
await using host = await Namespace.create('host')
await using web = await Namespace.create('web')
await using nameless = await Namespace.create()

// In both, eth0 gets index 2, the first one that is free: an index alone does not tell who is at the other end.
await host.links.create({ kind: 'bridge', name: 'br0', up: true })
for (const [port, namespace] of [
  ['to-web', web],
  ['to-nameless', nameless],
] as const) {
  await host.links.create({ kind: 'veth', name: port, master: 'br0', up: true, peer: { name: 'eth0', namespace, up: true } })
}

// A namespace without a name is found through a process in it, as that of a container is.
const container = nameless.spawn('sleep', ['60'], { stdio: 'ignore' })
try {
  for (const port of ['to-web', 'to-nameless']) {
    const peer = await host.links.peer(port)
    const { name, pids } = peer?.namespace ?? {}
    // `ethtool -S` prints the index as peer_ifindex, and nothing of the namespace.
    console.log(
      `${port}: other end is ${peer?.link.name} (index ${peer?.link.index}) in ${name ?? `that of process ${pids?.join(', ')}`}, ${peer?.namespace}`,
    )
  }

  // The other way round: which port of which bridge is a process's eth0?
  await using inside = await Namespace.open({ pid: Number(container.pid) })
  const peer = await inside.links.peer('eth0')
  console.log(`eth0 of process ${container.pid} is ${peer?.link.name} on the host, plugged into ${peer?.master?.name}`)
} finally {
  container.kill()
}

// Some devices belong to their namespace for good. That can be read; trying anyway gives an error that says so.
for (const link of await host.links.list())
  console.log(`${link.name} ${link.netnsImmutable ? 'stays where it is' : 'may change its namespace'}`)
try {
  await host.links.move('br0', web)
} catch (error) {
  if (!(error instanceof NetloomError)) throw error
  console.log(error.message)
}
