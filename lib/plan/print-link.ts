// The words of `ip link` for what links are made with: fields that all have, options of each kind, settings of bridge ports.
import { portRule, ruleOf } from '../kernel/link-kinds.js'

type Values = Readonly<Record<string, unknown>>
/** What `ip` calls an option, and what it takes for a value; undefined where it has no word for it. */
type Say = (value: unknown) => readonly string[] | undefined

const plain =
  (word: string): Say =>
  value =>
    typeof value === 'object' ? undefined : [word, String(value)]
const digit =
  (word: string): Say =>
  value => [word, value === true ? '1' : value === false ? '0' : String(value)]
const hundredths =
  (word: string): Say =>
  value => [word, String(Math.round((value as number) * 100))]
const onOff =
  (word: string): Say =>
  value =>
    typeof value === 'boolean' ? [word, value ? 'on' : 'off'] : plain(word)(value)
/** 'learning', 'nolearning'. */
const noOr =
  (word: string): Say =>
  value =>
    typeof value === 'boolean' ? [`${value ? '' : 'no'}${word}`] : undefined
const flag =
  (word: string): Say =>
  value =>
    value === true ? [word] : []

/** 'mcastSnooping' → 'mcast_snooping' */
const snake = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/** The kernel's words that `ip` writes in full, or otherwise. */
const bridgeWords: Readonly<Record<string, string>> = { groupAddr: 'group_address', noLlLearn: 'no_linklocal_learn' }
function sayBridge(name: string): Say {
  const { names, switches } = ruleOf('bridge')
  const wire = names?.[name] ?? switches?.names[name] ?? name
  if (name === 'flush') return flag('fdb_flush')
  const word =
    bridgeWords[wire] ??
    snake(wire)
      .replace(/_cnt$/, '_count')
      .replace(/_intvl$/, '_interval')
  return /Intvl$|Time$|Delay$|^maxAge$/.test(wire) ? hundredths(word) : digit(word)
}

const portWords: Readonly<Record<string, string>> = {
  hairpin: 'hairpin',
  rootGuard: 'root_block',
  fastLeave: 'fastleave',
  flood: 'flood',
  multicastFlood: 'mcast_flood',
  broadcastFlood: 'bcast_flood',
  multicastToUnicast: 'mcast_to_unicast',
  neighbourSuppression: 'neigh_suppress',
  proxyArp: 'proxy_arp',
  proxyArpWifi: 'proxy_arp_wifi',
}
const portStates: readonly unknown[] = ['disabled', 'listening', 'learning', 'forwarding', 'blocking']
function sayPort(name: string): Say {
  if (name === 'flush') return flag('fdb_flush')
  if (name === 'state') return value => ['state', String(portStates.includes(value) ? portStates.indexOf(value) : value)]
  return onOff(portWords[name] ?? snake((portRule.names as Readonly<Record<string, string>>)[name] ?? name))
}

const vxlanWords: Readonly<Record<string, Say>> = {
  port: plain('dstport'),
  limit: plain('maxaddress'),
  flowLabel: plain('flowlabel'),
  dontFragment: plain('df'),
  portRange: value => {
    const { low, high } = value as { low: number; high: number }
    return ['srcport', String(low), String(high)]
  },
  ttlInherit: value => (value ? ['ttl', 'inherit'] : []),
  learning: noOr('learning'),
  proxy: noOr('proxy'),
  routeShortCircuit: noOr('rsc'),
  l2Miss: noOr('l2miss'),
  l3Miss: noOr('l3miss'),
  udpChecksum: noOr('udpcsum'),
  udpZeroChecksum6Tx: noOr('udp6zerocsumtx'),
  udpZeroChecksum6Rx: noOr('udp6zerocsumrx'),
  remoteChecksumTx: noOr('remcsumtx'),
  remoteChecksumRx: noOr('remcsumrx'),
  collectMetadata: noOr('external'),
  vniFilter: noOr('vnifilter'),
  groupPolicy: flag('gbp'),
  genericProtocol: flag('gpe'),
}
const macvlanWords: Readonly<Record<string, string>> = { broadcastQueueLength: 'bcqueuelen', broadcastCutoff: 'bclim' }

/** ip has one word for the flags, and one for none. */
const sayIpvlan = (name: string): Say =>
  name !== 'flags'
    ? plain(name)
    : value => {
        const [flag = 'bridge', ...more] = value as string[]
        return more.length ? undefined : [flag]
      }

const kinds: Readonly<Record<string, (name: string) => Say>> = {
  bridge: sayBridge,
  vxlan: name => vxlanWords[name] ?? plain(name.toLowerCase()),
  vlan: name => onOff({ reorderHeader: 'reorder_hdr' }[name] ?? snake(name)),
  macvlan: name => plain(macvlanWords[name] ?? snake(name)),
  macvtap: name => plain(macvlanWords[name] ?? snake(name)),
  ipvlan: sayIpvlan,
  ipvtap: sayIpvlan,
}

/** Words of a command, and the paths of what it cannot say. */
export interface Said {
  readonly words: readonly string[]
  readonly unsaid: readonly string[]
}

function say(values: Values, how: (name: string) => Say, path: string): Said {
  const words: string[] = []
  const unsaid: string[] = []
  for (const [name, value] of Object.entries(values)) {
    const said = how(name)(value)
    if (said) words.push(...said)
    else unsaid.push(`${path}.${name}`)
  }
  return { words, unsaid }
}

/** type bridge stp_state 1 */
export function typeWords(kind: string, options: unknown): Said {
  const type = ['type', kind.replace(/^other:/, '')]
  if (options === undefined) return { words: type, unsaid: [] }
  const how = kinds[kind]
  if (!how || typeof options !== 'object' || options === null) return { words: type, unsaid: ['options'] }
  const { words, unsaid } = say(options as Values, how, 'options')
  return { words: [...type, ...words], unsaid }
}

/** type bridge_slave isolated on */
export function portWordsOf(port: object): Said {
  const { words, unsaid } = say(port as Values, sayPort, 'port')
  return { words: ['type', 'bridge_slave', ...words], unsaid }
}

const atCreation = {
  mac: 'address',
  mtu: 'mtu',
  group: 'group',
  txQueueLength: 'txqueuelen',
  txQueues: 'numtxqueues',
  rxQueues: 'numrxqueues',
  index: 'index',
} as const
/** Fields that both making and changing take. */
export function fieldWords(fields: Values): string[] {
  return Object.entries(atCreation).flatMap(([name, word]) => (fields[name] === undefined ? [] : [word, String(fields[name])]))
}
