// The verbs on elements of sets and maps: none of them reads the elements that are not asked for.
import { requestFlags } from '../../protocol/netlink.js'
import { elementList, packedElementList } from '../../protocol/nftables/element.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import type { Context } from '../../socket/request.js'
import { checkAt, checkOptions, isSignal, lacking } from '../arguments.js'
import type { Scope } from '../scope.js'
import type { Change } from './commit.js'
import { inMessages, packMembers } from './element-pack.js'
import { decodeElements, type ElementForm, encodeMembers, type ReadElement, type WireElement } from './elements.js'
import { change, type Submit, silently } from './entry.js'
import type { SetMember } from './expression.js'
import { wireFamily } from './family.js'
import { changingHints, makingHints } from './hints.js'
import { inOrder, spelled } from './intervals.js'
import type { ElementObject } from './objects.js'
import { absent, dumpAll, getOne } from './read.js'
import { type NamedRef, namedRefChecks, namedText, reference } from './references.js'
import { needForm, type SetForm } from './set-form.js'
import { readForm } from './set-read.js'

const elementReply = { type: nftablesMessages.newSetElem, codec: elementList }

export function elementChanges<Live extends boolean>(submit: Submit<Live>) {
  return {
    /**
     * Adds elements; those that are there already stay as they are:
     * `add({ family: 'inet', table: 'web', name: 'blocked', elem: ['10.0.0.7', { elem: { val: '10.0.0.8', timeout: 60, comment: 'scanner' } }] })`.
     *
     * Errors: ENOENT no such set, EEXIST a key of a map has another value, or ranges overlap, ENFILE the set is full.
     */
    add: (elements: ElementObject) => submit(addElements(elements, 0)),
    /** As add(), and refuses with EEXIST if one is there already. */
    create: (elements: ElementObject) => submit(addElements(elements, requestFlags.exclusive)),
    /** Removes elements. Errors: ENOENT one of them is not there; then none is removed. */
    delete: (elements: ElementObject) => submit(deleteElements(elements)),
  }
}

export function elementReads(scope: Scope) {
  return {
    /** The elements of a set or map in the order of their keys: values, or pairs of key and value. Throws ENOENT if there is no such set. */
    async list(set: NamedRef, options: { readonly signal?: AbortSignal } = {}): Promise<SetMember[]> {
      const ref = reference(set, namedRefChecks)
      checkOptions(options, { signal: isSignal })
      const form = await readForm(scope, ref, options.signal)
      if (!form) throw absent(scope, 'list elements', namedText(ref), 'set')
      return readMembers(scope, ref, form, options.signal)
    },
    /** One element with all that the kernel knows of it, or undefined: `find(set, '10.0.0.7')`. In a set of ranges the range that holds it. */
    async find(set: NamedRef, key: SetMember): Promise<SetMember | undefined> {
      const ref = reference(set, namedRefChecks)
      const form = await readForm(scope, ref)
      if (!form) throw absent(scope, 'get element', namedText(ref), 'set')
      return findElement(scope, ref, form, key)
    },
  }
}

async function findElement(scope: Scope, set: NamedRef, form: SetForm, key: SetMember): Promise<SetMember | undefined> {
  const { data: _, ...keyForm } = form
  const [encoded] = checkAt('key', () => encodeMembers([spelled(key, false)], elementForm(keyForm)))
  const start = encoded!.element
  const { family, table, name } = set
  const context: Context = { operation: 'get element', subject: namedText(set), namespace: scope.label }
  const ask = async (elements: WireElement[]): Promise<readonly ReadElement[]> => {
    const value = { family: wireFamily(family), table, set: name, elements }
    const raw = await getOne(scope, { type: nftablesMessages.getSetElem, codec: elementList, value, context }, elementReply)
    return raw?.elements ?? []
  }
  const found = await ask([start])
  if (found.length === 0) return undefined
  // A range is found by its start, and ends where the kernel says that it does for the same key.
  const plainRange = form.interval && form.key.length === 1 && !found[0]!.flags?.includes('catchall')
  const end = plainRange ? await ask([{ key: start.key!, flags: ['intervalEnd'] }]) : []
  return decodeElements([...found, ...end], elementForm(form))[0]
}

/** What of the form the elements depend on. */
export const elementForm = ({ key, data, interval, dataInterval }: SetForm): ElementForm => ({
  key,
  interval,
  dataInterval,
  ...(data ? { data: 'slots' in data ? data.slots : 'verdict' in data ? ('verdict' as const) : ('object' as const) } : {}),
})

/** All elements of a set. */
export async function readMembers(
  scope: Scope,
  { family, table, name }: NamedRef,
  form: SetForm,
  signal?: AbortSignal,
): Promise<SetMember[]> {
  const context: Context = { operation: 'list elements', subject: namedText({ family, table, name }), namespace: scope.label }
  const value = { family: wireFamily(family), table, set: name }
  const parts = await dumpAll(
    scope,
    { type: nftablesMessages.getSetElem, codec: elementList, value, context, signal },
    elementReply,
    raw => raw.elements,
  )
  return decodeElements(inOrder(parts.flat(), form.key), elementForm(form))
}

/** Elements as messages, each with as many as fit into one list. */
export function addition(
  set: NamedRef,
  form: SetForm,
  elem: readonly SetMember[],
  context: Context & { readonly elem: string },
  flags = 0,
): Change[] {
  const hints = elem.some(isWildcard) ? { ...context.hints, EINVAL: noWildcard } : context.hints
  return messages(nftablesMessages.newSetElem, requestFlags.create | flags, set, form, elem, { ...context, hints })
}

const noWildcard = "Linux before 5.13 has no element '*'"
function isWildcard(member: SetMember): boolean {
  const [key] = [member].flat() as readonly SetMember[]
  const value = typeof key === 'object' && key !== null && 'elem' in key ? key.elem?.val : key
  return value === '*'
}

function messages(
  type: number,
  flags: number,
  { family, table, name }: NamedRef,
  form: SetForm,
  elem: readonly SetMember[],
  { elem: path, ...context }: Context & { readonly elem: string },
): Change[] {
  const options = { merge: form.autoMerge ?? false, separate: true }
  const packed = checkAt(path, () => packMembers(elem, elementForm(form), options, member => spelled(member, form.data !== undefined)))
  const key = { family: wireFamily(family), table, set: name, ...(form.id === undefined ? {} : { setId: form.id }) }
  return inMessages(packed).map(({ bytes, origins }) =>
    change(type, packedElementList, flags, { ...key, elements: bytes }, { ...context, field: elementField(path, origins) }),
  )
}

/** The caller's name for a field of a message with elements: ['elements', '7', 'key'] → 'elem[3]'. */
const elementField =
  (path: string, origins: readonly number[]) =>
  ([first, index, part]: readonly string[]): string | undefined => {
    if (first !== 'elements') return first === 'set' || first === 'setId' ? 'name' : first
    if (index === undefined) return path
    const one = `${path}[${origins[Number(index)] ?? 0}]`
    return part === 'timeout' || part === 'comment' ? `${one}.elem.${part}` : one
  }

const elementsOf = ({ elem }: ElementObject): readonly SetMember[] =>
  Array.isArray(elem) ? (elem as readonly SetMember[]) : [elem as SetMember]

function checked(elements: ElementObject): NamedRef {
  const ref = reference<NamedRef>(elements, namedRefChecks)
  if (elements.elem === undefined) throw lacking('elem', 'say which elements')
  return ref
}

const addElements = (elements: ElementObject, flags: number) =>
  silently('elements', 'add elements', async (world, about) => {
    const ref = checked(elements)
    const form = needForm(await world.form(ref.family, ref.table, ref.name), ref.name)
    return addition(
      ref,
      form,
      elementsOf(elements),
      { ...about, subject: namedText(ref), hints: makingHints('element'), elem: 'elem' },
      flags,
    )
  })

const deleteElements = (elements: ElementObject) =>
  silently('elements', 'delete elements', async (world, about) => {
    const ref = checked(elements)
    const { data: _, ...form } = needForm(await world.form(ref.family, ref.table, ref.name), ref.name)
    const context = { ...about, subject: namedText(ref), hints: changingHints('element'), elem: 'elem' }
    // Of a map's elements the keys are enough.
    const keys = elementsOf(elements).map(member => (Array.isArray(member) ? (member[0] as SetMember) : member))
    return messages(nftablesMessages.delSetElem, 0, ref, form, keys, context)
  })
