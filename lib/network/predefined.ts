// The networks that are always there: bridge, host and none.
import type { NetworkSpec } from './options.js'

const names = ['bridge', 'host', 'none'] as const
export const isPredefined = (name: string): boolean => names.includes(name as 'bridge')

/** Their specifications, with the options that Docker shows of its own. */
export function predefined(): NetworkSpec[] {
  const plain = {
    subnets: [],
    listed: false,
    ipv6: false,
    internal: false,
    attachable: false,
    configOnly: false,
    labels: {},
    ipamOptions: {},
  }
  const options = { 'com.docker.network.bridge.name': 'netloom0', 'com.docker.network.driver.mtu': '1500' }
  return [
    { ...plain, name: 'bridge', driver: 'bridge', options },
    { ...plain, name: 'host', driver: 'host', options: {} },
    { ...plain, name: 'none', driver: 'null', options: {} },
  ]
}

/** What inspect shows: Docker's default bridge names its defaults too. */
export function shownOptions({ name, options }: NetworkSpec): Readonly<Record<string, string>> {
  if (name !== 'bridge') return options
  const bridge = 'com.docker.network.bridge'
  const defaults = { default_bridge: 'true', enable_icc: 'true', enable_ip_masquerade: 'true', host_binding_ipv4: '0.0.0.0' }
  return { ...Object.fromEntries(Object.entries(defaults).map(([option, value]) => [`${bridge}.${option}`, value])), ...options }
}
