// Routes that are refused: by the kernel, in the words of the caller, or before anything is sent.
import { expect, test } from 'vitest'
import { run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'
import { useRoutedHost } from '../helpers/routes.js'

const host = useRoutedHost()

test('what the kernel refuses is said in the words of the caller', async () => {
  expect(await refusal(host.here.routes.add({ to: '10.9.0.0/16', via: '192.168.7.7' }))).toMatchObject({
    code: 'ENETUNREACH',
    path: 'via',
    hint: expect.stringContaining('no route to the gateway'),
  })
  expect(await refusal(host.here.routes.add({ to: '10.9.0.0/16', nexthops: [{ via: '10.0.1.9' }, { via: '192.168.7.7' }] }))).toMatchObject(
    {
      code: 'ENETUNREACH',
      path: expect.stringMatching(/^nexthops/),
    },
  )
  expect(await refusal(host.here.routes.add({ to: '10.9.0.0/16', link: 'nobody' }))).toMatchObject({ code: 'ENODEV', path: 'link' })
  expect(await refusal(host.here.routes.add({ to: '10.9.0.0/16', nexthops: [{ link: 'eth0' }, { link: 'nobody' }] }))).toMatchObject({
    code: 'ENODEV',
    path: 'nexthops[1].link',
  })
  expect(await refusal(host.here.routes.add({ to: '10.9.0.0/16', link: 'eth0', src: '10.77.0.1' }))).toMatchObject({
    code: 'EINVAL',
    path: 'src',
  })
  expect(await refusal(host.here.routes.add({ to: 'fd09::/32', via: 'fd77::1' }))).toMatchObject({ operation: 'add route' })
  for (const to of ['10.9.0.0/16', 'fd09::/32'])
    expect(await refusal(host.here.routes.add({ to, link: 99_999 }))).toMatchObject({ code: 'ENODEV', path: 'link' })
  await run(host.name, 'ip', 'link', 'add', 'down0', 'type', 'bridge')
  expect(await refusal(host.here.routes.add({ to: '10.9.0.0/16', link: 'down0' }))).toMatchObject({ code: 'ENETDOWN' })
  await run(host.name, 'ip', 'link', 'delete', 'down0')
})

test.each<[string, unknown, string, string | undefined]>([
  ['nothing', undefined, 'ERR_NETLOOM_INVALID_OPTION', undefined],
  ['no destination', { via: '10.0.1.9' }, 'ERR_NETLOOM_MISSING_OPTION', 'to'],
  ['no way', { to: '10.9.0.0/16' }, 'ERR_NETLOOM_MISSING_OPTION', 'via'],
  ['a malformed destination', { to: '10.9', via: '10.0.1.9' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'to'],
  ['a prefix too long', { to: '10.9.0.0/33', via: '10.0.1.9' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'to'],
  ['bits beyond the prefix', { to: '10.9.0.1/16', via: '10.0.1.9' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'to'],
  ['IPv6 bits beyond the prefix', { to: 'fd09::1/32', via: 'fd00:1::9' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'to'],
  ['a misspelt option', { to: '10.9.0.0/16', gateway: '10.0.1.9' }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'gateway'],
  ['a misspelt metric', { to: '10.9.0.0/16', via: '10.0.1.9', metrics: { mss: 5 } }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'metrics.mss'],
  ['a misspelt nexthop', { to: '10.9.0.0/16', nexthops: [{ gw: '10.0.1.9' }] }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'nexthops[0].gw'],
  [
    'a malformed nexthop',
    { to: '10.9.0.0/16', nexthops: [{ via: '10.0.1.9' }, { via: 'x' }] },
    'ERR_NETLOOM_INVALID_ADDRESS',
    'nexthops[1].via',
  ],
  [
    'a weight of nothing',
    { to: '10.9.0.0/16', nexthops: [{ via: '10.0.1.9', weight: 0 }] },
    'ERR_NETLOOM_OUT_OF_RANGE',
    'nexthops[0].weight',
  ],
  ['no nexthops', { to: '10.9.0.0/16', nexthops: [] }, 'ERR_NETLOOM_INVALID_OPTION', 'nexthops'],
  ['nexthops and a router', { to: '10.9.0.0/16', via: '10.0.1.9', nexthops: [{ link: 'eth0' }] }, 'ERR_NETLOOM_INVALID_OPTION', 'via'],
  ['an IPv4 router for IPv6', { to: 'fd09::/32', via: '10.0.1.9' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'via'],
  ['a source of the other family', { to: '10.9.0.0/16', via: '10.0.1.9', src: 'fd00:1::1' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'src'],
  ['a family that is not', { to: '10.9.0.0/16', via: '10.0.1.9', family: 6 }, 'ERR_NETLOOM_INVALID_OPTION', 'family'],
  ['a scope in IPv6', { to: 'fd09::/32', via: 'fd00:1::9', scope: 'link' }, 'ERR_NETLOOM_INVALID_OPTION', 'scope'],
  ['a preference in IPv4', { to: '10.9.0.0/16', via: '10.0.1.9', preference: 'high' }, 'ERR_NETLOOM_INVALID_OPTION', 'preference'],
  ['table 0', { to: '10.9.0.0/16', via: '10.0.1.9', table: 0 }, 'ERR_NETLOOM_OUT_OF_RANGE', 'table'],
  ['an unknown table', { to: '10.9.0.0/16', via: '10.0.1.9', table: 'mine' }, 'ERR_NETLOOM_UNKNOWN_NAME', 'table'],
  ['an unknown protocol', { to: '10.9.0.0/16', via: '10.0.1.9', protocol: 'mine' }, 'ERR_NETLOOM_UNKNOWN_NAME', 'protocol'],
  ['a protocol too large', { to: '10.9.0.0/16', via: '10.0.1.9', protocol: 256 }, 'ERR_NETLOOM_OUT_OF_RANGE', 'protocol'],
  ['an unknown type', { to: '10.9.0.0/16', type: 'hole' }, 'ERR_NETLOOM_UNKNOWN_NAME', 'type'],
  ['a negative metric', { to: '10.9.0.0/16', via: '10.0.1.9', metric: -1 }, 'ERR_NETLOOM_OUT_OF_RANGE', 'metric'],
  ['an empty link name', { to: '10.9.0.0/16', link: '' }, 'ERR_NETLOOM_INVALID_NAME', 'link'],
])('refused before anything is sent: %s', async (_, spec, code, path) => {
  const add = host.here.routes.add as (spec: unknown) => Promise<void>
  await expect(add(spec)).rejects.toMatchObject({ code, ...(path === undefined ? {} : { path }) })
})
