// Settings and links that were there and that a killed process changed: made what they were where they still are what it made of them.
import type { Link } from '../kernel/link-object.js'
import { linkVerbs } from '../kernel/links.js'
import type { Scope } from '../kernel/scope.js'
import { getSysctl, setSysctl } from '../namespace/sysctl.js'
import { NetloomError } from '../socket/error.js'
import type { Outcome } from './gc-entries.js'
import type { Note } from './journal.js'
import { type LinkBefore, moveBack, picked, policyBefore, restoreLink } from './undo-link.js'

type ChangeNote = Extract<Note, { readonly note: 'sysctl' | 'link' | 'move' | 'gone' }>

/** `scopeOf` gives a namespace of the plan, undefined if it is gone. */
export async function takeBackChange(
  note: ChangeNote,
  scopeOf: (number: number) => Promise<Scope | undefined>,
  outcome: Outcome,
): Promise<void> {
  const scope = await scopeOf(note.in)
  // What was in it has gone with it.
  if (!scope) return
  switch (note.note) {
    case 'sysctl':
      return takeBackSysctl(scope, note, outcome)
    case 'link':
      return takeBackLink(scope, note.link, outcome)
    case 'move': {
      const target = await scopeOf(note.to)
      if (target) await moveBack(target, scope, note.name, note.link)
      const { name, mac } = note.link.old
      const home = (await linkVerbs(scope).find(name))?.mac === mac
      const told = home ? outcome.removed : outcome.left
      told.push(`move of link ${name}`)
      return
    }
    case 'gone':
      outcome.left.push(note.what)
  }
}

/** As a setting may be written and as it is read. */
const plain = (value: string) => value.trim().replace(/\s+/g, ' ')

async function takeBackSysctl(scope: Scope, { key, old, set }: Extract<Note, { note: 'sysctl' }>, outcome: Outcome): Promise<void> {
  let now: string
  try {
    now = plain(await getSysctl(scope, key))
  } catch (error) {
    // It went with its link.
    if (error instanceof NetloomError && error.code === 'ENOENT') return
    throw error
  }
  if (now === plain(old)) return
  if (now !== plain(set)) return void outcome.left.push(`sysctl ${key}`)
  await setSysctl(scope, key, old)
  outcome.removed.push(`change of sysctl ${key}`)
}

async function takeBackLink(scope: Scope, before: LinkBefore, outcome: Outcome): Promise<void> {
  const { old, change } = before
  const now = await linkVerbs(scope).find(old.index)
  const same = now !== undefined && now.kind === old.kind && [old.mac, change.mac].includes(now.mac)
  if (!same) return void outcome.left.push(`link ${old.name}`)
  const ours: string[] = []
  for (const field of Object.keys(change)) {
    const state = await stateOf(scope, field, before, now)
    if (state === 'ours') ours.push(field)
    else if (state === 'foreign') outcome.left.push(`${field} of link ${now.name}`)
  }
  if (ours.length === 0) return
  await restoreLink(scope, before, old.index, ours)
  outcome.removed.push(`change of link ${old.name}`)
}

/** Whose value a field of the link has: that from before, the plan's, or somebody else's. */
async function stateOf(scope: Scope, field: string, { old, change, ipv6 }: LinkBefore, now: Link): Promise<'old' | 'ours' | 'foreign'> {
  const [was, made, is] = [old, change, now].map(from => (from as unknown as Record<string, unknown>)[field])
  if (field === 'ipv6') {
    const policy = await policyBefore(scope, now.name, now.index)
    return policy === ipv6 ? 'old' : policy === change.ipv6 ? 'ours' : 'foreign'
  }
  if (field === 'master') {
    const wanted = typeof made === 'string' ? (await linkVerbs(scope).find(made))?.index : (made ?? undefined)
    return is === was ? 'old' : is === wanted ? 'ours' : 'foreign'
  }
  const part = field === 'port' || field === 'options'
  const text = (value: unknown) => JSON.stringify(part ? sorted(picked(value, made)) : (value ?? ''))
  return text(is) === text(was) ? 'old' : text(is) === text(made) ? 'ours' : 'foreign'
}

const sorted = (value: Record<string, unknown> | undefined) => Object.entries(value ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
