// The letters of netstat -rn, from route objects alone; test/kernel/routes.test.ts compares them with the tool's own.
import { expect, test } from 'vitest'
import { routeFlags } from '../../lib/kernel/route-flags.js'
import type { Route } from '../../lib/kernel/route-object.js'

const route = (fields: Partial<Route>): Route => ({ to: '10.0.0.0/8', family: 4, table: 254, protocol: 'boot', flags: [], ...fields })
const route6 = (fields: Partial<Route>): Route => route({ to: 'fd00::/64', family: 6, ...fields })

test.each<[Route, string]>([
  [route({ link: 2 }), 'U'],
  [route({ to: 'default', via: '10.0.0.1' }), 'UG'],
  [route({ to: '10.0.0.9', via: '10.0.0.1' }), 'UGH'],
  [route({ to: '10.0.0.9/32', link: 2 }), 'UH'],
  [route({ nexthops: [{ via: '10.0.0.1', link: 2, weight: 1, flags: [] }] }), 'UG'],
  [route({ nexthops: [{ link: 2, weight: 1, flags: [] }] }), 'U'],
  [route({ type: 'unreachable' }), '!'],
  [route({ to: '10.0.0.9', type: 'prohibit' }), '!H'],
  [route({ type: 'blackhole' }), 'U'],
  [route({ type: 'throw' }), 'U'],
  [route6({ link: 2 }), 'U'],
  [route6({ to: 'default', via: 'fd00::1' }), 'UG'],
  [route6({ to: 'fd00::9', via: 'fd00::1' }), 'UG'],
  [route6({ to: 'fd00::1', type: 'local' }), 'Un'],
  [route6({ to: 'fd00::', type: 'anycast' }), 'Un'],
  [route6({ type: 'unreachable' }), '!n'],
  [route6({ type: 'blackhole' }), '!n'],
  [route6({ to: 'fd00::9', via: 'fd00::1', protocol: 'redirect' }), 'UGD'],
])('%j is shown as %s', (given, letters) => expect(routeFlags(given)).toBe(letters))
