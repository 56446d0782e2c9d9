// Speed of the codec: encoding a veth request and decoding the kernel's reply about a link, next to others that can do the same.
// NETLOOM_PROTOTYPE names the folder of a compiled prototype (dist/lib/*.js); the npm package `netlink` is measured if it can be found
// (NETLOOM_PEERS names a folder with a node_modules that has it). What is not there is left out by name.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { Writer } from '../../dist/codec/writer.js'
import { link } from '../../dist/protocol/link.js'
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
  return {
    name: 'netloom',
    encode() {
      writer.at = 0
      link.write(writer, request)
    },
    decode: () => link.read(view, 0, body.length),
  }
}

async function prototype() {
  const folder = process.env.NETLOOM_PROTOTYPE
  if (!folder) return leftOut('the prototype', 'NETLOOM_PROTOTYPE names no folder')
  const load = file => import(pathToFileURL(join(folder, 'dist/lib', file)).href)
  const [codec, links] = [await load('codec.js'), await load('rt-link.js')]
  const writer = new codec.Writer()
  const buffer = Buffer.from(body)
  return {
    name: 'prototype',
    encode() {
      writer.at = 0
      links.link.write(writer, request)
    },
    decode: () => links.link.read(buffer, 0, buffer.length),
  }
}

/** It has no table for IFLA_LINKINFO: the caller gives bytes, and gets bytes. */
function npmNetlink() {
  const folder = process.env.NETLOOM_PEERS
  if (!folder) return leftOut('the npm package netlink', 'NETLOOM_PEERS names no folder')
  let rt
  let AttrStream
  try {
    const require = createRequire(join(folder, 'package.json'))
    rt = require('netlink/dist/rt/structs')
    AttrStream = require('netlink/dist/structs').AttrStream
  } catch (error) {
    return leftOut('the npm package netlink', error.message.split('\n')[0])
  }
  const buffer = Buffer.from(body)
  const linkinfo = Buffer.from('hand-made bytes of the kind and the peer, as its users have to give them')
  return {
    name: 'npm netlink (linkinfo as bytes)',
    encode: () => rt.formatLinkMessage({ kind: 'link', data: {}, attrs: { ifname: 'golden0', mtu: 1400, linkinfo } }, new AttrStream()),
    decode: () => rt.parseLinkMessage(buffer),
  }
}

function leftOut(what, why) {
  process.stdout.write(`${what} is left out: ${why}\n`)
  return undefined
}

/** Operations per second of CPU time, so that other tenants of the machine count less. */
function rate(run) {
  let operations = 0
  const start = process.cpuUsage()
  for (let used = 0; used < milliseconds * 1000; ) {
    for (let i = 0; i < 500; i++) run()
    operations += 500
    const { user, system } = process.cpuUsage(start)
    used = user + system
  }
  const { user, system } = process.cpuUsage(start)
  return (operations / (user + system)) * 1e6
}

for (const [what, unit] of [
  ['encode', 'encoding a veth request'],
  ['decode', `decoding a reply of ${reply.length} bytes`],
]) {
  const rates = contenders.map(() => [])
  for (const { [what]: run } of contenders) for (let i = 0; i < 20_000; i++) run()
  for (let round = 0; round < rounds; round++) {
    const order = contenders.map((_, i) => i)
    for (const i of round % 2 ? order.reverse() : order) rates[i].push(rate(contenders[i][what]))
  }
  const base = median(rates[0])
  const rows = contenders.map(({ name }, i) => {
    const middle = median(rates[i])
    return [name, Math.round(middle).toLocaleString('en'), (1e6 / middle).toFixed(2), (base / middle).toFixed(2)]
  })
  process.stdout.write(`\n${unit}: medians of ${rounds} alternating rounds in one process, by CPU time\n`)
  process.stdout.write(table([['', 'per second', 'µs each', 'netloom is faster by'], ...rows]))
}
