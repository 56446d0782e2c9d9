// Published ports in Docker's words: as `docker ps` prints them, and as `docker inspect` has them under NetworkSettings.Ports.
import type { PortRecord } from './records.js'

export type PortsInspect = Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>

/** '0.0.0.0:8080->80/tcp, 443/tcp'; ports that are the same on both sides and follow each other are a range. */
export function portsText(ports: readonly PortRecord[], exposed: readonly string[]): string {
  const published = new Set(ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`))
  const bare = exposed.filter(one => !published.has(one)).map(one => one.split('/') as [string, string])
  const rows = [
    ...ports.map(one => ({ where: `${one.hostIp}:`, from: one.hostPort, to: one.containerPort, protocol: one.protocol as string })),
    ...bare.map(([port, protocol]) => ({ where: '', from: Number(port), to: Number(port), protocol })),
  ].sort((a, b) => compare(a.where, b.where) || compare(a.protocol, b.protocol) || a.to - b.to || a.from - b.from)
  const parts: string[] = []
  for (let i = 0; i < rows.length; ) {
    const { where, from, to, protocol } = rows[i]!
    let end = i
    const follows = (next: (typeof rows)[number] | undefined) =>
      next?.where === where && next.protocol === protocol && next.from === next.to && next.to === to + end - i + 1
    if (from === to) while (follows(rows[end + 1])) end++
    const range = (first: number) => (end > i ? `${first}-${first + end - i}` : `${first}`)
    parts.push(`${where === '' ? '' : `${where}${range(from)}->`}${range(to)}/${protocol}`)
    i = end + 1
  }
  return parts.join(', ')
}
/** Published ones first, as Docker has them. */
const compare = (a: string, b: string) => (a === b ? 0 : a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1)

export function portsInspect(ports: readonly PortRecord[], exposed: readonly string[]): PortsInspect {
  const found: Record<string, { HostIp: string; HostPort: string }[] | null> = {}
  for (const name of exposed) found[name] = null
  for (const { hostIp, hostPort, containerPort, protocol } of ports) {
    const name = `${containerPort}/${protocol}`
    found[name] = [...(found[name] ?? []), { HostIp: hostIp, HostPort: `${hostPort}` }]
  }
  return found
}
