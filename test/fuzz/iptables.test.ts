// Legacy tables whatever their bytes: read or refused, nothing beyond them is looked at; and an entry put in and taken away leaves every byte as it was.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MalformedError } from '../../lib/codec/errors.js'
import { viewOf } from '../../lib/codec/walk.js'
import { acceptEntry, checkAccept, inserted, removed } from '../../lib/kernel/iptables/accept.js'
import { type Blob, readEntries, spans } from '../../lib/kernel/iptables/blob.js'
import { toTable } from '../../lib/kernel/iptables/legacy-read.js'
import { runs } from './inputs.js'

const links = fc.constantFrom('br0', 'eth+', 'veth1', 'x')
const comments = fc.option(fc.stringMatching(/^[a-z ]{1,20}$/), { nil: undefined })
const rule = fc.record({ in: links, out: links, comment: comments, from: fc.constantFrom('10.0.0.0/8', '192.0.2.1') })

/** A table with one built-in chain of these rules: the last is its policy, and an error ends it all. */
function tableOf(rules: readonly object[], family: 4 | 6 = 4): Blob {
  const entries = [...rules, {}].map(one => acceptEntry(checkAccept({ ...one, family })))
  const end = acceptEntry(checkAccept({ family }))
  // 40 bytes of a standard target become 64 of an error, whose name is the table's end.
  const error = new Uint8Array(end.length + 24)
  error.set(end.subarray(0, end.length - 40))
  const view = viewOf(error)
  const at = end.length - 40
  view.setUint16(family === 4 ? 90 : 142, error.length, true)
  view.setUint16(at, 64, true)
  error.set(Buffer.from('ERROR'), at + 2)
  error.set(Buffer.from('ERROR'), at + 32)
  const all = Buffer.concat([...entries, error])
  const before = entries.slice(0, -1).reduce((sum, { length }) => sum + length, 0)
  return {
    family,
    validHooks: 1 << 2,
    hookEntry: [0xffff_ffff, 0xffff_ffff, 0, 0xffff_ffff, 0xffff_ffff],
    underflow: [0xffff_ffff, 0xffff_ffff, before, 0xffff_ffff, 0xffff_ffff],
    numEntries: entries.length + 1,
    size: all.length,
    entries: new Uint8Array(all),
  }
}

test('a rule that is put in and taken away leaves the table as it was', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 6 }), rule, (rules, more) => {
      const before = tableOf(rules)
      const wanted = checkAccept({ ...more, comment: 'only this one' })
      const put = inserted(before, wanted)!
      expect(toTable('filter', put.blob).chains[0]?.rules).toHaveLength(rules.length + 1)
      expect(toTable('filter', put.blob).chains[0]?.rules[0]?.text).toContain('only this one')
      expect(put.blob).toMatchObject({ numEntries: before.numEntries + 1, size: put.blob.entries.length })
      expect(removed(put.blob, wanted)?.blob).toEqual(before)
      expect(removed(before, wanted)).toBeUndefined()
    }),
  )
})

test('whatever bytes arrive, they are read or refused', () => {
  const edits = fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 12 })
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 3 }),
      edits,
      fc.nat(2000),
      fc.constantFrom(4 as const, 6 as const),
      (rules, changes, cut, family) => {
        const blob = tableOf(family === 6 ? [] : rules, family)
        const entries = blob.entries.slice(0, cut < 1000 ? blob.entries.length : cut)
        for (const [at, value] of changes) if (at < entries.length) entries[at] = value
        try {
          const broken = { ...blob, entries, size: entries.length }
          spans(broken, readEntries(broken))
          toTable('filter', broken)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError)
        }
      },
    ),
    runs(2000),
  )
})
