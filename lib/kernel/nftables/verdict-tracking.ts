// Whether conntrack looks at packets: the kernel lets it only while some rule needs it, for the family that the rule is for.
import type { ReadExpression } from './delinearize-context.js'
import { publicFamily } from './family.js'
import type { Snapshot } from './snapshot.js'

const always = ['ct', 'masq', 'redir', 'connlimit', 'synproxy', 'flow_offload']
const matches = ['conntrack', 'state', 'connmark', 'connlimit', 'connbytes', 'connlabel', 'helper', 'cluster']
const targets = ['CT', 'CONNMARK', 'CONNSECMARK', 'DNAT', 'SNAT', 'MASQUERADE', 'REDIRECT', 'NETMAP', 'SYNPROXY']
const objects = ['ctHelper', 'ctTimeout', 'ctExpect', 'connlimit', 'synproxy']

/** The families, by number, that conntrack is needed for by rules of nftables; what iptables-legacy needs is not seen. */
export function trackedFamilies({
  rules,
  objects: named,
  sets,
}: Pick<Snapshot, 'rules' | 'objects' | 'sets'>): ReadonlySet<4 | 6 | 'bridge'> {
  const found = new Set<4 | 6 | 'bridge'>()
  const add = (family: string) => {
    if (family === 'ip' || family === 'inet') found.add(4)
    if (family === 'ip6' || family === 'inet') found.add(6)
    if (family === 'bridge') found.add('bridge')
  }
  const need = (family: string, one: ReadExpression) => {
    const { name = '', data } = one
    if (always.includes(name)) return add(family)
    if (data === undefined || data instanceof Uint8Array) return
    if (one.name === 'nat') add(one.data?.family === 'ipv4' ? 'ip' : one.data?.family === 'ipv6' ? 'ip6' : family)
    if (one.name === 'match' && matches.includes(one.data?.name ?? '')) add(family)
    if (one.name === 'target' && targets.includes(one.data?.name ?? '')) add(family)
    if (one.name === 'dynset' && [...(one.data?.expressions ?? []), ...(one.data?.expr ? [one.data.expr] : [])].some(isLimit)) add(family)
  }
  for (const { family, expressions = [] } of rules) for (const one of expressions) need(publicFamily(family), one)
  for (const { family, type } of named) if (objects.includes(String(type))) add(publicFamily(family))
  for (const { raw } of sets) if ([...(raw.expressions ?? []), ...(raw.expr ? [raw.expr] : [])].some(isLimit)) add(publicFamily(raw.family))
  return found
}
const isLimit = ({ name }: { readonly name?: string | undefined }) => name === 'connlimit'
