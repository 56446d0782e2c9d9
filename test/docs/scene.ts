// The network in which docs/commands.md has its commands and calls: a namespace `box`, and `blue`, whose eth0 is plugged into a bridge of box.
import * as netloom from '../../lib/index.js'
import { attempt, type Running, run, start, type Where } from '../helpers/readers.js'
import type { Sandbox } from '../helpers/sandbox.js'
import { evaluate } from './program.js'

export interface Scene extends AsyncDisposable {
  /** Runs a command in box, by a shell; gives what it prints. */
  run(command: string): Promise<string>
  /** Starts one that goes on. */
  follow(command: string): Promise<Running>
  /** Evaluates a call in the library of this process. */
  call(code: string): Promise<unknown>
  /** The same, for values that live as long as their namespaces are open. */
  hold(code: string): Promise<Held>
  /** All that the commands can change, in words that are the same in two scenes that are alike; `row` may name MACs that matter. */
  state(row: string): Promise<Record<string, unknown>>
}
interface Held extends AsyncDisposable {
  readonly value: unknown
}
interface Entry {
  readonly [name: string]: unknown
}

const box = [
  'link set lo up',
  'link add eth0 index 10 address 02:00:00:00:00:01 type veth peer name wire index 11 address 02:00:00:00:00:02',
  'link add br0 index 12 address 02:00:00:00:00:03 type bridge forward_delay 0',
  'link add br1 index 13 address 02:00:00:00:00:04 type bridge',
  'link add veth0 index 14 address 02:00:00:00:00:05 type veth peer name eth0 index 20 address 02:00:00:00:00:06 netns blue',
  'link add veth1 index 15 address 02:00:00:00:00:0a type veth peer name veth2 index 16 address 02:00:00:00:00:0b',
  'link set veth0 master br0',
  ...['eth0', 'wire', 'veth0', 'br0'].map(link => `link set ${link} up`),
  'address add 10.0.2.1/24 broadcast + dev eth0',
  'address add 10.0.2.2/24 dev eth0',
  'address add 10.0.6.1/24 label eth0:1 dev eth0',
  'address add fd00:2::1/64 dev eth0 nodad',
  'address add 10.0.1.254/24 broadcast + dev br0',
  'route add default via 10.0.2.254 metric 100',
  'route add 10.9.0.0/16 via 10.0.2.9',
  'route add 10.10.0.0/16 via 10.0.2.9 proto zebra metric 20',
  'route add 10.13.0.0/16 dev eth0 proto zebra',
  'route add unreachable 192.0.2.0/24',
  'route add blackhole 198.51.100.0/24',
  'route add 10.11.0.0/16 nexthop via 10.0.2.7 nexthop via 10.0.2.8',
  'route add 10.12.0.1 dev eth0 advmss 1400 window 5000 rtt 100ms',
  'route add default via 10.0.2.252 table 100',
  'route add default via fd00:2::254',
  'rule add from 10.0.2.0/24 table 100 priority 50',
  'neighbour add 10.0.2.9 lladdr 02:00:00:00:00:09 dev eth0',
  'neighbour add 10.0.2.66 nud failed dev eth0',
  'neighbour add proxy 10.0.2.77 dev eth0',
]
const blue = ['link set lo up', 'link set eth0 up', 'address add 10.0.1.2/24 dev eth0']
const names = ['box', 'blue', 'red']

const here = (lines: readonly string[]) => `<<'END'\n${lines.join('\n')}\nEND\n`
/** One shell for all of it: starting a process costs a shell less than it costs Node. */
const clear = `for n in ${names.join(' ')}; do [ ! -e /run/netns/$n ] || ip netns delete $n; done\n`
const build = [
  'set -e',
  clear,
  // No addresses that the kernel makes up: they are other ones in each scene.
  'for n in box blue; do ip netns add $n; nsenter --net=/run/netns/$n sysctl -qw net.ipv6.conf.default.addr_gen_mode=1; done',
  `ip -n box -batch - ${here(box)}`,
  `ip -n blue -batch - ${here(blue)}`,
  'bridge -n box fdb add 02:00:00:00:00:07 dev veth0 master static',
  // Look-ups for packets that come in by it.
  'nsenter --net=/run/netns/box sysctl -qw net.ipv4.conf.br0.forwarding=1',
].join('\n')

/** Makes it, in a machine of its own or in the suite's: calls work only there. */
export async function scene(machine?: Sandbox): Promise<Scene> {
  const place = machine?.where
  await run(place, 'sh', '-c', build)
  const keeper = await start(machine ? { path: `/proc/${machine.pid}/root/run/netns/blue` } : 'blue', 'cat')
  return {
    async run(command) {
      const { code, stdout, stderr } = await attempt(place, ...argumentsOf(asked(command, keeper)))
      // ping's way to say that nobody has answered.
      if (code !== 0 && !(code === 1 && command.startsWith('ping'))) throw new Error(`${command}: exit code ${code}: ${stderr}`)
      return stdout
    },
    // Into a pipe, programs print when their buffer is full.
    follow: command => start(place, ...argumentsOf(asked(`exec stdbuf -oL ${command}`, keeper))),
    async call(code) {
      await using held = await hold(code, keeper.pid)
      return held.value
    },
    hold: code => hold(code, keeper.pid),
    state: row => stateOf(place, row),
    async [Symbol.asyncDispose]() {
      await keeper.stop()
      await run(place, 'sh', '-c', clear)
    },
  }
}

/** What needs a /sys that shows the namespace; everything else would see its mounts change nothing. */
const needsSys = (command: string) => command.startsWith('brctl')

type Command = [program: string, ...words: string[]]
function asked(command: string, { pid }: Running): Command {
  const enter = needsSys(command) ? ['ip', 'netns', 'exec', 'box'] : ['nsenter', '--net=/run/netns/box']
  return ['env', `pid=${pid}`, ...enter, 'sh', '-c', command]
}
const argumentsOf = ([program, ...words]: Command): [string, string[]] => [program, words]

async function hold(code: string, pid: number): Promise<Held> {
  const ns = await netloom.Namespace.open({ name: 'box' })
  const other = await netloom.Namespace.open({ name: 'blue' })
  const close = async () => {
    await ns.close()
    await other.close()
  }
  try {
    const value = await evaluate(code, { ...netloom, ns, blue: other, pid })
    if (value instanceof netloom.Namespace) await value.close()
    return { value: Array.isArray(value) ? await Promise.all(value) : value, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** What `ip` is asked for each family, in one go; it answers each with one line. */
const questions = ['link show', 'address show', 'route show table all', 'rule show', 'neighbour show nud all', 'neighbour show proxy']
const titles = [
  ...['-4', '-6'].flatMap(family => questions.map(question => `${question.replace(' show', '')} ${family}`)),
  'fdb',
  'net.ipv4.ip_forward',
]
const ask = [
  `for n in ${names.join(' ')}; do`,
  '[ -e /run/netns/$n ] || continue',
  'echo "@ $n"',
  ...['-4', '-6'].map(family => `printf '${questions.join('\\n')}\\n' | ip -n $n ${family} -j -d -batch - || exit`),
  'bridge -n $n -j -d fdb show || exit',
  'nsenter --net=/run/netns/$n cat /proc/sys/net/ipv4/ip_forward || exit',
  'done',
].join('\n')

async function stateOf(place: Where, row: string): Promise<Record<string, unknown>> {
  const state: Record<string, unknown> = {}
  for (const chunk of (await run(place, 'sh', '-c', ask)).split('@ ').slice(1)) {
    const [name, ...answers] = chunk.trim().split('\n')
    if (answers.length !== titles.length) throw new Error(`not one line for each question: ${chunk}`)
    for (const [i, title] of titles.entries()) {
      const entries = [JSON.parse(answers[i] ?? '') as unknown].flat()
      const kept = entries.filter(entry => isOurs(title, entry as Entry, row)).map(entry => maskMacs(still(entry), row))
      state[`${name} ${title}`] = kept.map(entry => JSON.stringify(entry)).sort()
    }
  }
  return state
}

/** Packets teach bridges and neighbour tables things that no command has said. */
function isOurs(title: string, entry: Entry, row: string): boolean {
  if (typeof entry !== 'object') return true
  const named = [entry.mac, entry.dst].some(word => typeof word === 'string' && row.includes(word))
  if (title === 'fdb') return named || entry.state !== ''
  if (title.includes('nud all')) return named || String(entry.state) === 'PERMANENT'
  return Object.keys(entry).length > 0
}

/** What the kernel chooses, or what moves by itself. */
const moving = ['ifindex', 'link_index', 'link_netnsid', 'operstate', 'tentative', 'topology_change', 'config_pending', 'expires']
const movingFlags = ['LOWER_UP', 'NO-CARRIER', 'M-DOWN', 'linkdown', 'dead']
function still(value: unknown, path = ''): unknown {
  if (Array.isArray(value)) return value.filter(one => !movingFlags.includes(one)).map(one => still(one, path))
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(
    ([name]) => !moving.includes(name) && !name.endsWith('_timer') && !(name === 'state' && path === 'info_slave_data'),
  )
  return Object.fromEntries(kept.map(([name, one]) => [name, still(one, name)]))
}

/** MACs that nobody has chosen are made up by the kernel. `ip` writes those in bridge ids without leading zeros. */
function maskMacs(value: unknown, row: string): unknown {
  const known = [...box, row].join(' ')
  const text = JSON.stringify(value).replace(/\b(?:[\da-f]{1,2}:){5}[\da-f]{1,2}\b/g, mac => {
    const whole = mac
      .split(':')
      .map(byte => byte.padStart(2, '0'))
      .join(':')
    return known.includes(whole) || /^(33:33|01|ff|00:00:00:00:00:00)/.test(whole) ? whole : 'made up'
  })
  return JSON.parse(text)
}
