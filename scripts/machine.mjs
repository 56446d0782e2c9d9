// What the scripts ask the machine: where a program is, and which network namespace this process is in.

import { accessSync, constants, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** The path of a program, or undefined. */
export function findProgram(name) {
  return (process.env.PATH ?? '')
    .split(':')
    .filter(Boolean)
    .map(folder => join(folder, name))
    .find(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The inode number of the network namespace of this process, as text. */
export function inodeOfNamespace(path = '/proc/self/ns/net') {
  return readlinkSync(path).replace(/\D/g, '')
}

/** Whether this process runs under scripts/isolated.mjs: the marker is there, and it names another namespace than the present one. */
export function isIsolated() {
  const outer = process.env.NETLOOM_ISOLATED
  return outer !== undefined && /^\d+$/.test(outer) && outer !== inodeOfNamespace()
}
