// What a user's first program does with the installed package; copied beside it by scripts/packages.mjs.
import { Namespace, NetloomError } from 'netloom'
import { link, Writer } from 'netloom/netlink'

const blue = await Namespace.create('blue')
try {
  const veth = await Namespace.current().links.create({ kind: 'veth', name: 'v0', peer: { name: 'eth0', namespace: blue } })
  const refused = await blue.links.create({ kind: 'bridge', name: 'eth0' }).catch(error => error)
  const writer = new Writer()
  link.write(writer, { ifname: 'v0' })
  console.log(JSON.stringify([veth.peer.namespace.name, refused instanceof NetloomError && refused.code, writer.at > 16]))
} finally {
  await blue.delete()
}
