// The demo's command line: how many namespaces, and in which subnet.
import { isIPv4 } from 'node:net'
import { parseArgs } from 'node:util'

export const usage = `Usage: npm run demo -- [--count N] [--subnet A.B.C.D/LENGTH]

Builds namespaces, a veth pair and a bridge, pings, looks, draws, and removes everything again.

  --count N     how many namespaces on the bridge, 2 to 1000 (default 12)
  --subnet S    the IPv4 network that they are in (default 10.0.1.0/24, and 10.0.0.0 with a longer range for more than 253)
  --help        this text
`
/** A bridge has up to 1,023 ports, but with its usual settings the kernel queues no more than 1,000 copies of a broadcast. */
const mostPorts = 1000

export interface Options {
  readonly count: number
  readonly subnet: Subnet
}

/** An IPv4 network, and the addresses in it. */
export interface Subnet {
  /** '10.0.1.0/24' */
  readonly text: string
  readonly prefix: number
  /** The address of a host by its number, from 1. */
  host(number: number): string
  contains(address: string): boolean
}

export class UsageError extends Error {}

/** Reads the command line; undefined when only help is wanted. */
export function readOptions(args: string[]): Options | undefined {
  const { count, subnet, help } = parse(args)
  if (help) return undefined
  if (!/^\d+$/.test(count) || Number(count) < 2 || Number(count) > mostPorts)
    throw new UsageError(`--count ${count}: give a number from 2 to ${mostPorts}; more ports on one bridge lose broadcasts`)
  const needed = 32 - Math.ceil(Math.log2(Number(count) + 3))
  const options = { count: Number(count), subnet: parseSubnet(subnet ?? (needed < 24 ? `10.0.0.0/${needed}` : '10.0.1.0/24')) }
  const hosts = 2 ** (32 - options.subnet.prefix) - 2
  if (hosts < options.count + 1)
    throw new UsageError(
      `--subnet ${subnet}: ${options.count} namespaces and the bridge need ${options.count + 1} addresses, and it has ${Math.max(hosts, 0)}; a /${needed} is big enough`,
    )
  return options
}

function parse(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        count: { type: 'string', default: '12' },
        subnet: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    return values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function parseSubnet(text: string): Subnet {
  const [, address = '', length = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? []
  const prefix = Number(length)
  if (!isIPv4(address) || prefix < 8 || prefix > 30)
    throw new UsageError(`--subnet ${text}: give an IPv4 network with a prefix length from 8 to 30, like 10.0.1.0/24`)
  const size = 2 ** (32 - prefix)
  const start = numberOf(address) - (numberOf(address) % size)
  if (start !== numberOf(address))
    throw new UsageError(`--subnet ${text}: this is a host's address; its network is ${textOf(start)}/${prefix}`)
  const first = start >>> 24
  if (first === 0 || first === 127 || first >= 224)
    throw new UsageError(`--subnet ${text}: hosts cannot have addresses from there; 10.0.0.0/8 is for networks like this`)
  return {
    text,
    prefix,
    host: number => textOf(start + number),
    contains: other => numberOf(other) >= start && numberOf(other) < start + size,
  }
}

const numberOf = (address: string) => address.split('.').reduce((number, part) => number * 256 + Number(part), 0)
const textOf = (number: number) => [24, 16, 8, 0].map(shift => Math.floor(number / 2 ** shift) % 256).join('.')
