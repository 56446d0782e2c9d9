// What a user's first TypeScript program does with the installed package; compiled with a user's settings by scripts/packages.mjs.
import { Namespace, type NamespaceInfo, NetloomError } from 'netloom'
import { type Encodable, link, openConnection, rtm } from 'netloom/netlink'

await using blue = await Namespace.create('blue')
const veth = await Namespace.current().links.create({ kind: 'veth', name: 'v0', peer: { name: 'eth0', namespace: blue } })
const peer: NamespaceInfo = veth.peer.namespace
const refused: unknown = await blue.links.create({ kind: 'bridge', name: 'eth0' }).catch((error: unknown) => error)
const value: Encodable<typeof link> = { ifname: 'eth0', flags: { up: true } }
await using connection = await openConnection({ name: 'blue' })
await connection.request({ type: rtm.setLink, codec: link, value, context: { operation: 'set link up', subject: 'eth0' } })
const { up } = await blue.links.get('eth0')
console.log(JSON.stringify([peer.name, refused instanceof NetloomError && refused.code, up]))
