// What the fields of a step mean: which are links and namespaces of the plan, and which values stand for themselves.

/** Where a field is: in the step itself, in the end of a link, in a route, in another object that names links, in a list of such, in plain data. */
export type Place = 'step' | 'end' | 'route' | 'refs' | 'list' | 'plain'
/** A link or a namespace, an object in which there may be more, or a value that is right by itself if it passes. */
export type Meaning = 'link' | 'namespace' | Place | ((value: unknown) => boolean)

/** Of the names that a link may have, those that nobody has to think about. */
const isPlainName = (value: unknown): boolean => typeof value === 'string' && /^[a-z0-9_-][\w.-]{0,14}$/i.test(value)
const isMac = (value: unknown): boolean => typeof value === 'string' && value.length === 17 && /^[\da-f]{2}(?::[\da-f]{2}){5}$/i.test(value)

const refs: Readonly<Record<string, Meaning>> = { link: 'link', master: 'link', namespace: 'namespace', peer: 'refs', nexthops: 'list' }
const meanings: Readonly<Record<Place, Readonly<Record<string, Meaning>>>> = {
  step: { link: 'link', to: 'namespace', cidr: isIpv4Host, spec: 'end', change: 'refs', route: 'route', entry: 'refs' },
  end: { ...refs, peer: 'end', name: isPlainName, mac: isMac },
  route: { ...refs, to: isIpv4Network },
  refs,
  list: {},
  plain: {},
}

export const meaningOf = (place: Place, name: string): Meaning =>
  place === 'list' ? 'refs' : Object.hasOwn(meanings[place], name) ? meanings[place][name]! : 'plain'

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const cidr = new RegExp(`^(?:${octet}\\.){3}(${octet})/([1-9]|[12]\\d|30)$`)
/** An IPv4 address with the length of its prefix, and not that of a network: its last number is no such network's, nor any larger one's. */
function isIpv4Host(value: unknown): boolean {
  const match = typeof value === 'string' ? cidr.exec(value) : null
  return match !== null && Number(match[1]) % 2 ** Math.min(8, 32 - Number(match[2])) !== 0
}

const network = new RegExp(`^(${octet})\\.(${octet})\\.(${octet})\\.(${octet})(?:/([1-9]|[12]\\d|3[012]))?$`)
/** An IPv4 prefix without bits beyond it, or a single address. */
function isIpv4Network(value: unknown): boolean {
  const match = typeof value === 'string' ? network.exec(value) : null
  if (match === null) return false
  const [a, b, c, d, length] = match.slice(1).map(Number) as [number, number, number, number, number]
  return match[5] === undefined || (((a * 256 + b) * 256 + c) * 256 + d) % 2 ** (32 - length) === 0
}
