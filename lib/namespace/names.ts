// Names that callers give: of namespaces, of interfaces and of sysctl keys, checked before anything is done with them.
import { argumentError } from '../codec/errors.js'

const INVALID_NAME = 'ERR_NETLOOM_INVALID_NAME'
const INVALID_SYSCTL = 'ERR_NETLOOM_INVALID_SYSCTL'

/** The longest file name that Linux file systems take, in bytes (`linux/limits.h`: NAME_MAX). */
const LONGEST_FILE_NAME = 255
/** IFNAMSIZ less the final NUL (`linux/if.h`). */
const LONGEST_INTERFACE_NAME = 15

/** Checks the name of a namespace, which is a file name in /run/netns; throws ERR_NETLOOM_INVALID_NAME. */
export function checkNamespaceName(name: unknown, path?: string): string {
  const refuse = (why: string) => argumentError(INVALID_NAME, `${show(name)} cannot name a namespace: ${why}`, path)
  const text = wellFormed(name, refuse)
  if (text === '') throw refuse('it is empty; leave the name out for an anonymous namespace')
  if (text === '.' || text === '..') throw refuse('it means a directory')
  if (text.includes('/')) throw refuse("it contains '/'; open a file elsewhere with { path }")
  const bytes = Buffer.byteLength(text)
  if (bytes > LONGEST_FILE_NAME) throw refuse(`it has ${bytes} bytes, file names have at most ${LONGEST_FILE_NAME}`)
  return text
}

/** Checks the name of a network interface as the kernel does (`net/core/dev.c`: dev_valid_name); throws ERR_NETLOOM_INVALID_NAME. */
export function checkInterfaceName(name: unknown, path?: string): string {
  const refuse = (why: string) => argumentError(INVALID_NAME, `${show(name)} cannot name an interface: ${why}`, path)
  const text = wellFormed(name, refuse)
  if (text === '') throw refuse('it is empty; leave the name out to let the kernel choose one')
  if (text === '.' || text === '..') throw refuse('it means a directory')
  if (text === 'all' || text === 'default') throw refuse('kernel settings of that name are for all interfaces')
  const bytes = Buffer.from(text)
  if (bytes.length > LONGEST_INTERFACE_NAME)
    throw refuse(`it has ${bytes.length} bytes, interface names have at most ${LONGEST_INTERFACE_NAME}`)
  for (const forbidden of ['/', ':']) if (text.includes(forbidden)) throw refuse(`it contains '${forbidden}'`)
  if (text.includes('%')) throw refuse("it contains '%', which the kernel takes for a pattern to number")
  if (/\s/.test(text)) throw refuse('it contains white space')
  // The kernel looks at single bytes and counts Latin-1's no-break space, so it refuses 'à' (c3 a0) as well.
  if (bytes.includes(0xa0)) throw refuse('the kernel takes the byte a0 in it for white space')
  return text
}

/**
 * The file under /proc/sys of a key: 'net.ipv4.ip_forward' and 'net/ipv4/conf/eth0.1/forwarding' both work, as sysctl(8) has it:
 * the first separator decides, the other character then stands for itself ('net.ipv4.conf.eth0/1.forwarding' is the same key).
 * Only keys under net belong to a namespace. Throws ERR_NETLOOM_INVALID_SYSCTL.
 */
export function sysctlPath(key: unknown, path?: string): string {
  const refuse = (why: string) => argumentError(INVALID_SYSCTL, `${show(key)} is not a sysctl key of a namespace: ${why}`, path)
  const text = wellFormed(key, refuse)
  const dots = /^[^/]*\./.test(text)
  const parts = dots ? text.split('.').map(part => part.replaceAll('/', '.')) : text.split('/')
  if (parts[0] !== 'net' || parts.length < 2)
    throw refuse("it does not begin with 'net.'; other keys are the same in every network namespace")
  for (const part of parts) {
    if (part === '') throw refuse('a part of it is empty')
    if (part === '.' || part === '..') throw refuse(`'${part}' leads elsewhere`)
    if (Buffer.byteLength(part) > LONGEST_FILE_NAME) throw refuse(`a part of it has more than ${LONGEST_FILE_NAME} bytes`)
  }
  return `/proc/sys/${parts.join('/')}`
}

function wellFormed(value: unknown, refuse: (why: string) => Error): string {
  if (typeof value !== 'string') throw refuse('it is not a string')
  if (value.includes('\0')) throw refuse('it contains a NUL character')
  if (/\p{Surrogate}/u.test(value)) throw refuse('it contains half of a surrogate pair')
  return value
}

function show(value: unknown): string {
  if (typeof value !== 'string') return value === null ? 'null' : typeof value === 'object' ? 'an object' : String(value)
  return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value)
}
