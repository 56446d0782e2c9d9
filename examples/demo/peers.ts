// The demo's fourth part (S4): who is at the other end of every port, and which links cannot leave their namespace.
import { NetloomError } from 'netloom'
import type { Network } from './bridge.js'
import type { Lab } from './lab.js'
import { bad, heading, since, step, table, thousands } from './show.js'

export async function showPeers(lab: Lab, { host, members }: Network): Promise<void> {
  heading('Who is at the other end')
  const started = performance.now()
  const rows = await lab.each('asking', members, async ({ port, namespace, name }) => {
    const link = await host.links.get(port)
    const peer = await host.links.peer(link)
    if (peer?.namespace?.inode !== namespace.inode)
      throw new Error(`the other end of ${port} was found in ${peer?.namespace?.name ?? 'no namespace'}, but it is in ${name}`)
    return [port, String(link.index), `${peer.link.name} in ${peer.namespace.name}`, String(peer.link.index), String(peer.namespace)]
  })
  step(
    `${thousands(rows.length)} of ${thousands(members.length)} found (${since(started)}); ${sameIndex(rows)} far ends have the same index`,
    `ethtool -S ${members[0]?.port} # peer_ifindex`,
  )
  table(['port', 'index', 'other end', 'index', 'identity'], rows)

  const [first] = members
  if (first === undefined) return
  const back = await first.namespace.links.peer('eth0')
  step(`from inside: eth0 of ${first.name} leads to ${back?.link.name} in ${back?.namespace?.name}, a port of ${back?.master?.name}`)
  const stay = (await host.links.list()).filter(link => link.netnsImmutable).map(({ name }) => name)
  step(`cannot leave their namespace: ${stay.join(', ')}`, 'ip -n host -d link')
  try {
    await host.links.move('br0', first.namespace)
  } catch (error) {
    if (!(error instanceof NetloomError)) throw error
    step(`br0 to ${first.name}: ${bad(error.code)}, ${error.reason}`, `ip -n host link set br0 netns ${first.name}`)
  }
}

/** How many far ends share the most frequent index. */
function sameIndex(rows: readonly (readonly string[])[]): string {
  const counts = new Map<string | undefined, number>()
  for (const row of rows) counts.set(row[3], (counts.get(row[3]) ?? 0) + 1)
  const most = Math.max(...counts.values())
  return most === rows.length ? 'all' : thousands(most)
}
