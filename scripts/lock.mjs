// One set-up of a clone at a time: two that build side by side would read each other's half-written files.

import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** Runs the work when no other process holds the lock of that folder. The lock of a process that has ended does not count. */
export async function alone(folder, onWait, work) {
  const path = join(tmpdir(), `netloom-setup-${process.getuid?.()}-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`)
  for (let waited = 0; !take(path); waited++) {
    if (waited === 0) onWait()
    await setTimeout(200)
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}

function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (!isHeld(path)) rmSync(path, { force: true })
    return false
  }
}

function isHeld(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'))
    // Its owner is about to write its number.
    if (pid === 0) return true
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code !== 'ESRCH' && error.code !== 'ENOENT'
  }
}
