// Kernel settings (sysctl) of one namespace, read and written by the addon while its thread is inside.
import { argumentError, shown } from '../codec/errors.js'
import { native } from '../socket/native.js'
import { checkOpen, failure, type Meanings, syscallOf } from './failure.js'
import { labelOf, type OpenNamespace } from './info.js'
import { sysctlPath } from './names.js'

/**
 * Reads a setting: the text as `sysctl -n` prints it, without the final newline (tables have several lines).
 *
 * Errors: ENOENT no such key in this namespace, EISDIR the key is a group, EACCES without the rights; ERR_NETLOOM_INVALID_SYSCTL.
 */
export async function getSysctl(where: OpenNamespace, key: string): Promise<string> {
  const path = sysctlPath(key, 'key')
  const attempt = { operation: 'get sysctl', subject: key, namespace: labelOf(where.info) }
  checkOpen(where, attempt)
  try {
    return (await native().readSysctl(where.handle, path)).replace(/\n$/, '')
  } catch (error) {
    throw failure(error, attempt, {
      ...MEANINGS,
      EPERM: { hint: 'this setting can only be written' },
      EACCES: { hint: 'this setting can only be written' },
    })
  }
}

/**
 * Changes a setting.
 *
 * Errors: ENOENT no such key in this namespace, or nothing of that name to choose; EINVAL or ERANGE a value that the setting does not take, EACCES or
 * EPERM read-only or without the rights; ERR_NETLOOM_INVALID_SYSCTL, ERR_NETLOOM_INVALID_VALUE.
 */
export async function setSysctl(where: OpenNamespace, key: string, value: string | number): Promise<void> {
  const path = sysctlPath(key, 'key')
  const text = checkValue(value)
  const attempt = { operation: 'set sysctl', subject: key, namespace: labelOf(where.info) }
  checkOpen(where, attempt)
  try {
    // The newline makes an empty value arrive too: it clears lists such as net.ipv4.ip_local_reserved_ports.
    await native().writeSysctl(where.handle, path, `${text}\n`)
  } catch (error) {
    throw sysctlFailure(error, attempt, text)
  }
}

/** What went wrong when that text was written to a setting, in words. */
export const sysctlFailure = (error: unknown, attempt: Parameters<typeof failure>[1], text: string): unknown =>
  failure(error, attempt, {
    ...MEANINGS,
    // The key is there, as it could be opened: of a list of names, such as congestion controls, this one is none.
    ...(syscallOf(error) === 'write' && { ENOENT: { reason: `the kernel knows no ${shown(text)} here` } }),
    EINVAL: { reason: `the kernel does not take ${shown(text)} here` },
    ERANGE: { reason: `${shown(text)} is out of range` },
    EPERM: { hint: NO_RIGHT },
    EACCES: { hint: NO_RIGHT },
    EROFS: { hint: '/proc/sys is mounted read-only, as in an unprivileged container' },
  })

const NO_RIGHT = 'the setting is read-only, or this needs CAP_NET_ADMIN: run as root, or in a user namespace of your own'
const MEANINGS: Meanings = {
  ENOENT: {
    reason: 'no such key',
    hint: 'some keys exist only in the initial namespace, only while the interface or kernel module is there, or not in this kernel',
  },
  EISDIR: { reason: 'the key is a group of settings, not a setting' },
}

/** The text for a value; throws ERR_NETLOOM_INVALID_VALUE. */
export function checkValue(value: unknown): string {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (typeof value === 'string' && !/[\0\n]/.test(value)) return value
  throw argumentError('ERR_NETLOOM_INVALID_VALUE', 'a sysctl takes a number or one line of text', 'value')
}
