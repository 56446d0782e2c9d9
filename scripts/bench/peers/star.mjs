// The work of the benchmarks of plans, as a plan: bridges with up to 1,000 ports, and namespaces with a veth, an address and a default route.

const perBridge = 1000

/** `policy`: 'none' as the floor has it (no addresses of the kernel's own inside, no IPv6 on the ports), 'all' none of it anywhere, 'kernel'. */
export function star(Plan, here, count, policy) {
  const plan = new Plan({ ipv6: { none: 'static', all: 'none', kernel: 'kernel' }[policy] })
  const host = plan.in(here)
  const ports = policy === 'none' ? { ipv6: 'none' } : {}
  const bridges = []
  for (let i = 0; i < count; i++) {
    const number = i % perBridge
    const net = `10.${100 + Math.floor(i / perBridge)}`
    if (number === 0) {
      const name = `bench${bridges.length}`
      bridges.push(host.links.create({ kind: 'bridge', name, mac: mac(3, bridges.length), up: true, ipv6: 'kernel' }))
      host.addresses.add(bridges.at(-1), `${net}.0.1/16`)
    }
    const inside = plan.namespace(`b${i}`, { loopback: true })
    const peer = { name: `bp${i}`, mac: mac(2, i), namespace: host, master: bridges.at(-1), up: true, ...ports }
    const eth0 = inside.links.create({ kind: 'veth', name: 'eth0', mac: mac(1, i), up: true, peer })
    inside.addresses.add(eth0, `${net}.${Math.floor(number / 250) + 1}.${(number % 250) + 1}/16`)
    inside.routes.add({ to: 'default', via: `${net}.0.1`, link: eth0 })
  }
  return plan
}

function mac(side, i) {
  const hex = byte => byte.toString(16).padStart(2, '0')
  return `02:0${side}:00:00:${hex(i >> 8)}:${hex(i & 255)}`
}
