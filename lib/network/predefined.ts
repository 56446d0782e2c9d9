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
