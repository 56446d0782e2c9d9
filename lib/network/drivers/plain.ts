// The drivers 'host' and 'null', which give nothing: a namespace that is the host's own, and one that stays alone.
import { argumentError } from '../../codec/errors.js'
import { sameNamespace } from '../../namespace/info.js'
import type { Driver } from './driver.js'

const nothing = {
  addresses: false,
  cables: false,
  ensure: async () => undefined,
  remove: async () => undefined,
  leave: async () => undefined,
}

export const hostDriver: Driver = {
  ...nothing,
  name: 'host',
  check(host, { namespace }, path) {
    if (!sameNamespace(host, namespace))
      throw argumentError('ERR_NETLOOM_INVALID_NAMESPACE', 'only the host namespace itself is on the network host', path)
  },
}

export const nullDriver: Driver = {
  ...nothing,
  name: 'null',
  check(_host, { connected }, path) {
    if (connected.length)
      throw argumentError('ERR_NETLOOM_INVALID_NAMESPACE', 'the namespace is on another network; on none it would have to be alone', path)
  },
}
