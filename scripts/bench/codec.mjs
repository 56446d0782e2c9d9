// Speed of the codec: encoding a veth request and decoding the kernel's reply about a link, next to others that can do the same.
// NETLOOM_PROTOTYPE names the folder of a compiled prototype (dist/lib/*.js), and being slower than that fails the run; the npm package
// `netlink` is fetched, or taken from the folder that NETLOOM_PEERS names. What cannot be had is left out by name.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { viewOf, walk } from '../../dist/codec/walk.js'
import { Writer } from '../../dist/codec/writer.js'
import { link } from '../../dist/protocol/link.js'
import { npmPeer } from './peers/npm.mjs'
import { median, table } from './table.mjs'

const rounds = 15
const milliseconds = 60
const captured = JSON.parse(readFileSync(new URL('../../test/golden/captured/link-read.json', import.meta.url), 'utf8'))
// What the kernel gave to `ip link show` of a veth whose peer is in another namespace.
const reply = Buffer.from(
  captured.find(({ name }) => name === 'veth in two namespaces' || name === 'get veth in two namespaces').reply,
  'hex',
)
const body = Uint8Array.from(reply.subarray(16))
const request = { ifname: 'golden0', mtu: 1400, linkinfo: { kind: 'veth', data: { peer: { ifname: 'golden1' } } } }

const contenders = [ours(), await prototype(), npmNetlink()].filter(one => one !== undefined)

function ours() {
  const writer = new Writer()
  const view = new DataView(body.buffer)
  const encode = () => {
    writer.at = 0
    link.write(writer, request)
  }
  return {
    name: 'netloom',
    encode,
    encoded() {
      encode()
      return writer.copy()
    },
    decode: () => link.read(view, 0, body.length),
    says: value => value,
  }
}

async function prototype() {
  const folder = process.env.NETLOOM_PROTOTYPE
  if (!folder) return leftOut('the prototype', 'NETLOOM_PROTOTYPE names no folder')
  const load = file => import(pathToFileURL(join(folder, 'dist/lib', file)).href)
  const [codec, links] = [await load('codec.js'), await load('rt-link.js')]
  const writer = new codec.Writer()
  const buffer = Buffer.from(body)
  const encode = () => {
    writer.at = 0
    links.link.write(writer, request)
  }
  return {
    name: 'prototype',
    encode,
    encoded() {
      encode()
      return writer.bytes.subarray(0, writer.at)
    },
    decode: () => links.link.read(buffer, 0, buffer.length),
    says: value => value,
  }
}

/** It has no table for IFLA_LINKINFO: the caller gives bytes, and gets bytes. A message is a list of buffers, which sendmsg() puts together. */
function npmNetlink() {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-bench-'))
  let rt
  let AttrStream
  try {
    const peer = npmPeer(folder)
    if (peer.missing) return leftOut('the npm package netlink', peer.missing)
    const require = createRequire(join(peer.folder, 'package.json'))
    rt = require('netlink/dist/rt/structs')
    AttrStream = require('netlink/dist/structs').AttrStream
  } catch (error) {
    return leftOut('the npm package netlink', error.message.split('\n')[0])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const buffer = Buffer.from(body)
  // IFLA_LINKINFO comes last in the request; its payload is what the package's users make by hand.
  const whole = Buffer.from(ours().encoded())
  const [{ from }] = [...walk(link, viewOf(whole))].filter(({ constant }) => constant === 'IFLA_LINKINFO')
  const linkinfo = whole.subarray(from)
  const encode = () => {
    const out = new AttrStream()
    rt.formatLinkMessage({ kind: 'link', data: {}, attrs: { ifname: request.ifname, mtu: request.mtu, linkinfo } }, out)
    return out.bufs
  }
  return {
    name: 'npm netlink, linkinfo as bytes',
    encode,
    encoded: () => Buffer.concat(encode()),
    decode: () => rt.parseLinkMessage(buffer),
    says: ({ attrs }) => attrs,
  }
}

function leftOut(what, why) {
  process.stdout.write(`${what} is left out: ${why}\n`)
  return undefined
}

/** CPU time of one call, so that other tenants of the machine count less. */
function microseconds(run) {
  const start = process.cpuUsage()
  for (let calls = 500; ; calls += 500) {
    for (let i = 0; i < 500; i++) run()
    const { user, system } = process.cpuUsage(start)
    if (user + system > milliseconds * 1000) return (user + system) / calls
  }
}

/** Who measures has to know that all do the same. NLA_F_NESTED aside, which not everybody sets. */
function check() {
  const plain = bytes =>
    Buffer.from(bytes)
      .toString('hex')
      .replace(/(..)80/g, '$100')
  for (const { name, encoded, decode, says } of contenders) {
    const value = says(decode())
    if (plain(encoded()) !== plain(contenders[0].encoded())) throw new Error(`${name} encodes other bytes`)
    if (value.ifname !== 'v0' || value.mtu !== 1500) throw new Error(`${name} reads another link: ${value.ifname}, ${value.mtu}`)
  }
}

check()
for (const [what, title] of [
  ['encode', 'encoding a veth request'],
  ['decode', `decoding a reply of ${reply.length} bytes`],
]) {
  const times = contenders.map(() => [])
  for (const { [what]: run } of contenders) for (let i = 0; i < 20_000; i++) run()
  for (let round = 0; round < rounds; round++) {
    const order = contenders.map((_, i) => i)
    for (const i of round % 2 ? order.reverse() : order) times[i].push(microseconds(contenders[i][what]))
  }
  const base = median(times[0])
  const rows = contenders.map(({ name }, i) => {
    const middle = median(times[i])
    const range = `${Math.min(...times[i]).toFixed(2)}–${Math.max(...times[i]).toFixed(2)}`
    return [name, middle.toFixed(2), range, Math.round(1e6 / middle).toLocaleString('en'), `${(middle / base).toFixed(2)} ×`]
  })
  process.stdout.write(`\n${title}: medians of ${rounds} alternating rounds in one process, by CPU time\n`)
  process.stdout.write(table([['', 'µs each', 'min–max', 'per second', 'time'], ...rows]))
  const prototypeIndex = contenders.findIndex(({ name }) => name === 'prototype')
  if (prototypeIndex >= 0 && median(times[prototypeIndex]) < base) {
    process.stdout.write('slower than the prototype\n')
    process.exitCode = 1
  }
}
