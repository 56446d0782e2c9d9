// Runs as a short-lived process inside a network namespace: gives it mounts of its own (a fresh /sys, /etc/netns files), then becomes the command.
import { writeSync } from 'node:fs'
import { basename } from 'node:path'
import { errnoName, errnoNumbers, errnoWords } from '../socket/errno.js'
import { isSystemCallError } from '../socket/error.js'
import { native } from '../socket/native.js'
import { etcBinds } from './exec-binds.js'
import { unpackRequest } from './exec-request.js'

/** The exit codes of shells, and docker's for a failure of its own. */
const FAILED = 125
const NOT_RUNNABLE = 126
const NOT_FOUND = 127

const request = unpackRequest(process.argv.slice(2), process.env)
if (request === undefined) fail('this script is started by netloom only', FAILED)
else {
  try {
    const { namespaceName, ...settings } = request
    const { binds, homeless } = etcBinds(namespaceName)
    // As with ip netns exec, the command runs all the same.
    for (const file of homeless) say(`${file} is not shown: there is no /etc/${basename(file)} to take the place of`)
    native().execInside({ ...settings, binds })
  } catch (error) {
    if (!isSystemCallError(error)) fail(error instanceof Error ? error.message : String(error), FAILED)
    else {
      const words = `${errnoWords(error.errno)} (${errnoName(error.errno)})`
      if (!error.syscall.startsWith('exec'))
        fail(`${preparing(error.syscall)} ${request.command}: ${error.syscall}${error.path ? ` ${error.path}` : ''}: ${words}`, FAILED)
      else if (error.errno === errnoNumbers.ENOENT) fail(`${request.command}: command not found`, NOT_FOUND)
      else fail(`${request.command}: ${words}`, NOT_RUNNABLE)
    }
  }
}

function preparing(syscall: string): string {
  return /^set[gu]/.test(syscall) ? 'changing the user of' : 'preparing the mounts of'
}

function fail(why: string, code: number): never {
  say(why)
  process.exit(code)
}

function say(line: string): void {
  writeSync(2, `netloom: ${line}\n`)
}
