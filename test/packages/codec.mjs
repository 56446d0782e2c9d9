// Reads and writes recorded messages again and loads the addon: what has to be the same on every processor. Prints a digest of all of it.
// Usage: node codec.mjs FOLDER, that of the recorded messages; netloom has to be installed beside it.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Namespace } from 'netloom'
import { address, link, route, rule, Writer } from 'netloom/netlink'

const digest = createHash('sha256')
const text = value => JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `${item}n` : item))
let count = 0
for (const [area, codec] of Object.entries({ 'link-create': link, 'link-change': link, address, route, rule }))
  for (const { request } of JSON.parse(readFileSync(join(process.argv[2], `${area}.json`), 'utf8'))) {
    const bytes = Uint8Array.from(Buffer.from(request, 'hex'))
    const view = new DataView(bytes.buffer)
    const value = codec.read(view, 16, view.getUint32(0, true))
    const writer = new Writer()
    codec.write(writer, value)
    digest.update(text(value)).update(writer.copy())
    count++
  }
console.log(text([process.arch, count, digest.digest('hex'), String(Namespace.current()).startsWith('net:[')]))
