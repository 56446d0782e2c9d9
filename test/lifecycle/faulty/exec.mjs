// Runs a command with mounts of its own as another user, and says as JSON how that ended; then runs another. On the built library, under strace.
import { writeSync } from 'node:fs'
import { Namespace } from '../../../dist/index.js'

const namespace = await Namespace.create()
const say = value => writeSync(1, `${JSON.stringify(value)}\n`)
const told = error => ({ code: error.code, stderr: error.stderr })
const id = { mounts: true, uid: 65534, gid: 65534 }
say(await namespace.exec('/bin/echo', ['here'], id).then(({ stdout }) => ({ stdout }), told))
say(await namespace.exec('/bin/echo', ['again']).then(({ stdout }) => ({ stdout }), told))
await namespace.close()
