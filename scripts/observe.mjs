// A picture of this process's network namespace, read from files only, and the difference between two pictures.

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Lines that name everything that a test could leave behind: links, addresses, routes, named namespaces, mounts of namespaces, sysctls; and the pings sent. */
export function observeNamespace() {
  return [...links(), ...addresses(), ...routes4(), ...routes6(), ...namedNamespaces(), ...sysctls('/proc/sys/net'), ...echoes()]
}

/** What is in one picture only. */
export function differences(before, after) {
  const gone = before.filter(line => !after.includes(line))
  const added = after.filter(line => !before.includes(line))
  return [...gone.map(line => `- ${line}`), ...added.map(line => `+ ${line}`)]
}

function links() {
  // /proc/net/dev is about this namespace whatever /sys shows.
  const names = lines('/proc/self/net/dev')
    .slice(2)
    .map(line => line.split(':')[0].trim())
  return names.map(name => `link ${[name, ...['ifindex', 'flags', 'mtu', 'address'].map(field => sysfs(name, field))].join(' ')}`)
}

function sysfs(name, field) {
  const path = `/sys/class/net/${name}/${field}`
  return existsSync(path) ? `${field} ${readFileSync(path, 'utf8').trim()}` : ''
}

function addresses() {
  // fib_trie holds every local IPv4 address, if_inet6 every IPv6 address.
  const local = lines('/proc/self/net/fib_trie')
    .join('\n')
    .matchAll(/\|-- (\S+)\n\s+\S+ host LOCAL/g)
  const ipv4 = new Set([...local].map(match => `address ${match[1]}`))
  return [...ipv4, ...lines('/proc/self/net/if_inet6').map(line => `address ${line}`)]
}

function routes4() {
  // Fields 4 and 5 count references and uses.
  return lines('/proc/self/net/route').map(
    line =>
      `route ${line
        .split(/\s+/)
        .filter((_, index) => index !== 4 && index !== 5)
        .join(' ')}`,
  )
}

function routes6() {
  // Fields 6 and 7 count references and uses; bit 24 of the flags marks a cached route, which traffic makes.
  return lines('/proc/self/net/ipv6_route')
    .map(line => line.trim().split(/\s+/))
    .filter(fields => (Number.parseInt(fields[8], 16) & 0x01000000) === 0)
    .map(fields => `route ${fields.filter((_, index) => index !== 6 && index !== 7).join(' ')}`)
}

function namedNamespaces() {
  const names = existsSync('/run/netns') ? readdirSync('/run/netns').map(name => `named namespace ${name}`) : []
  const mounts = lines('/proc/self/mountinfo').filter(line => line.includes(' - nsfs '))
  return [
    ...names,
    ...mounts.map(line => `mount of a namespace at ${line.split(' ')[4]}`),
    `namespace ${readlinkSync('/proc/self/ns/net')}`,
  ]
}

/** Every readable setting; counters that move by themselves are left out. */
function sysctls(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sysctls(path)
    return MOVING.test(path) ? [] : sysctl(path)
  })
}

const MOVING = /nf_conntrack_count$|\/netfilter\/nf_conntrack_buckets$|\/route\/flush$/

function sysctl(path) {
  try {
    return [`sysctl ${path} ${readFileSync(path, 'utf8').trim()}`]
  } catch (error) {
    // Write-only (EACCES), unset (EIO) and for-root-only (EPERM) settings have nothing to compare.
    if (['EACCES', 'EIO', 'EPERM', 'ENOENT', 'EINVAL'].includes(error.code)) return []
    throw error
  }
}

/** How many pings left from here: one that should have been sent inside shows. */
function echoes() {
  const [names, values] = lines('/proc/self/net/snmp')
    .filter(line => line.startsWith('Icmp:'))
    .map(line => line.split(' '))
  const ipv6 = lines('/proc/self/net/snmp6').filter(line => line.startsWith('Icmp6OutEchos'))
  return [`pings sent ${values?.[names.indexOf('OutEchos')]}`, ...ipv6.map(line => `pings sent over IPv6 ${line.split(/\s+/)[1]}`)]
}

function lines(path) {
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter(line => line.trim() !== '')
    : []
}
