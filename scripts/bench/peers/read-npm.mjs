// The npm package `netlink`, for scripts/bench/read.mjs; the folder that it is installed in is the argument.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { answer } from './answer.mjs'

const { createRtNetlink } = createRequire(join(process.argv[2], 'package.json'))('netlink')
const socket = createRtNetlink({ ref: true })
const operations = {
  links: async () => (await socket.getLinks()).length,
  get: async ifname => (await socket.getLink({}, { ifname })).length,
}
await answer((operation, argument) => operations[operation](argument))
process.exit()
