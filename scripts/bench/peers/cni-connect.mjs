// One contender of scripts/bench/cni.mjs: makes namespaces, which is not measured, connects all and takes them off again. Usage: cni-connect.mjs cni|each|many N.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { Namespace, Networks } from 'netloom'

const [form = 'each', size = '50'] = process.argv.slice(2)
const plugins = '/usr/lib/cni'
const subnet = '10.88.0.0/16'
const names = Array.from({ length: Number(size) }, (_, i) => `cni${i}`)
const port = i => ({ hostPort: 10_000 + i, containerPort: 80 })
// In memory, for both: where docs/networks.md puts it.
const folder = mkdtempSync('/run/netloom-bench-')
try {
  const host = Namespace.current()
  await host.sysctl.set('net.ipv4.ip_forward', 1)
  await Namespace.createMany(names)
  const works = { cni, each: () => withNetwork(host, false), many: () => withNetwork(host, true) }
  const times = await works[form]()
  process.stdout.write(`${JSON.stringify(times)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function timed(work) {
  const start = performance.now()
  await work()
  return (performance.now() - start) / names.length
}

async function cni() {
  const common = { cniVersion: '0.4.0', name: 'bench' }
  const ipam = { type: 'host-local', subnet, dataDir: join(folder, 'ipam'), routes: [{ dst: '0.0.0.0/0' }] }
  const bridge = { ...common, type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true, hairpinMode: true, ipam }
  const ports = i => ({ portMappings: [{ ...port(i), protocol: 'tcp' }] })
  const portmap = { ...common, type: 'portmap', capabilities: { portMappings: true }, snat: true }
  const results = []
  const add = await timed(() => {
    for (const [i, name] of names.entries()) {
      const prevResult = call('ADD', name, bridge)
      results.push(prevResult)
      call('ADD', name, { ...portmap, runtimeConfig: ports(i), prevResult })
    }
  })
  const remove = await timed(() => {
    for (const [i, name] of names.entries()) {
      call('DEL', name, { ...portmap, runtimeConfig: ports(i), prevResult: results[i] })
      call('DEL', name, bridge)
    }
  })
  return { add, remove }
}

function call(command, name, configuration) {
  const { status, stdout, stderr, error } = spawnSync(join(plugins, configuration.type), [], {
    input: JSON.stringify(configuration),
    encoding: 'utf8',
    env: {
      ...{ PATH: process.env.PATH, CNI_COMMAND: command, CNI_CONTAINERID: name, CNI_PATH: plugins },
      ...{ CNI_NETNS: `/run/netns/${name}`, CNI_IFNAME: 'eth0' },
    },
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${configuration.type} ${command} ${name}: ${stdout}${stderr}`)
  return command === 'ADD' ? JSON.parse(stdout) : undefined
}

async function withNetwork(host, together) {
  const networks = await Networks.open({ stateDir: join(folder, 'state'), host })
  const net = await networks.create({ name: 'bench', subnet })
  const add = await timed(async () => {
    if (together) await net.connectMany(names.map((name, i) => ({ namespace: { name }, publish: [port(i)] })))
    else for (const [i, name] of names.entries()) await net.connect({ name }, { publish: [port(i)] })
  })
  const remove = await timed(async () => {
    if (together) await net.disconnectMany(names.map(name => ({ name })))
    else for (const name of names) await net.disconnect({ name })
  })
  await networks.close()
  return { add, remove }
}
