// What scripts/kernels.mjs makes of its guests' answers, and the archive that a guest starts from.
import { describe, expect, test } from 'vitest'
import { archive } from '../../scripts/kernels-initrd.mjs'
import { merged, table, totals } from '../../scripts/kernels-table.mjs'

const old = { name: '5.10', release: '5.10.0-32-amd64', suite: 'bullseye' }
const young = { name: 'newest', release: '7.2.13+deb14-amd64', suite: 'sid' }
const passed = { name: 'a', state: 'passed' }
const failed = { name: 'b', state: 'failed', error: 'no\nat line 1' }
const skipped = { name: 'c', state: 'skipped', note: 'this kernel lacks x' }

describe('tables', () => {
  const first = merged({}, young, [{ features: { vlan: true, netkit: true } }, { file: 'test/kernel/a.test.ts', tests: [passed, failed] }])
  const both = merged(first, old, [
    { features: { vlan: true, netkit: 'this kernel lacks netkit' }, version: '#1 SMP Debian 5.10.223-1 (2024-08-10)' },
    { file: 'test/kernel/a.test.ts', tests: [passed, skipped] },
    { file: 'test/kernel/b.test.ts', tests: [passed] },
  ])

  test('name features, files and reasons for each kernel, the oldest first', () => {
    expect(table(both)).toBe(`| feature | 5.10.223 (bullseye) | 7.2.13 (sid) |
|---|---|---|
| vlan | yes | yes |
| netkit | — | yes |

| tests | 5.10.223 (bullseye) | 7.2.13 (sid) |
|---|---|---|
| kernel/a | 1, 1 skipped | 1, **1 failed** |
| kernel/b | 1 |  |

| skipped because | 5.10.223 (bullseye) | 7.2.13 (sid) |
|---|---|---|
| this kernel lacks x | 1 |  |

| failed | 5.10.223 (bullseye) | 7.2.13 (sid) |
|---|---|---|
| kernel/a: b |  | no |
`)
    expect(totals(both)).toEqual([3, 1, 1])
  })

  test('another run adds to what the same kernel has, and takes the place of what another release had', () => {
    const answers = [{ file: 'test/kernel/a.test.ts', tests: [passed, passed] }]
    expect(totals(merged(both, young, answers))).toEqual([4, 0, 1])
    expect(merged(both, { ...old, release: '5.10.0-33-amd64' }, answers)['5.10']?.files).toEqual({
      'test/kernel/a.test.ts': { passed: 2, failed: 0, skipped: {} },
    })
  })
})

test('an archive has each entry at a multiple of four, and an end', () => {
  const text = archive([
    ['bin', undefined],
    ['bin/x', Buffer.from('abcde')],
  ])
  expect(text.length % 4).toBe(0)
  const entries = [...text.toString('latin1').matchAll(/070701([0-9a-f]{104})([^\0]+)\0/g)]
  expect(entries.map(([, , name]) => name)).toEqual(['bin', 'bin/x', 'TRAILER!!!'])
  expect(entries.every(({ index }) => index % 4 === 0)).toBe(true)
  // Mode and size of the file.
  expect(entries[1]?.[1]?.slice(8, 16)).toBe('000081ed')
  expect(entries[1]?.[1]?.slice(48, 56)).toBe('00000005')
  expect(text.includes('abcde')).toBe(true)
})
