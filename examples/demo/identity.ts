// The demo's first part (S1): what a namespace is, and what is in a new one.
import { Namespace } from 'netloom'
import type { Lab } from './lab.js'
import { heading, milliseconds, step } from './show.js'

export async function showIdentity(lab: Lab): Promise<Namespace> {
  heading('A namespace and its identity')
  const { signal } = lab
  step(`this process is in ${await Namespace.identify('self')}`, 'readlink /proc/self/ns/net')
  const blue = await lab.namespace('blue')
  step(`blue is ${blue}`, 'ip netns add blue')
  step(`one without a name is ${await lab.namespace()}`, 'unshare --net …')
  const named = await Namespace.list()
  step(`namespaces with a name: ${named.map(({ name }) => name).join(', ')}`, 'ip netns list')

  step(`in blue there is nothing but ${await linksOf(blue)}`, 'ip -n blue address')
  await blue.links.update('lo', { up: true })
  step(`set up, that is ${await linksOf(blue)}`, 'ip -n blue link set lo up')
  const { sent, received, rtt } = await blue.ping('127.0.0.1', { count: 3, interval: 0.02, signal })
  step(`blue pings 127.0.0.1: ${received} of ${sent}, ${milliseconds(rtt?.avg ?? 0)}`, 'ip netns exec blue ping -c 3 127.0.0.1')
  const { stdout } = await blue.exec('readlink', ['/proc/self/ns/net'], { signal })
  step(`a process in blue sees ${stdout.trim()}`, 'ip netns exec blue readlink /proc/self/ns/net')
  return blue
}

async function linksOf(namespace: Namespace): Promise<string> {
  const [links, addresses] = await Promise.all([namespace.links.list(), namespace.addresses.list({ family: 4 })])
  const describe = (index: number) => addresses.filter(({ link }) => link === index).map(({ cidr }) => `, ${cidr}`)
  return links.map(({ index, name, up }) => `${name} (${up ? 'up' : 'down'}${describe(index).join('')})`).join(' and ')
}
