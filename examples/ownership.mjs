// Who removes what, in plain JavaScript: `await using` needs TypeScript or Node 24; try and finally do the same everywhere.
import { Namespace } from 'netloom'

// create() makes something: delete() undoes it. Deleting a namespace removes every virtual device in it, so that nothing else is needed.
const blue = await Namespace.create('blue', { loopback: true })
try {
  const { name } = await blue.links.create({ kind: 'veth', name: 'left', peer: { name: 'right' } })
  console.log(`made ${name} in ${blue.name}`)

  // open() only holds what is there: close() frees our descriptors, and the namespace stays.
  const again = await Namespace.open({ name: 'blue' })
  try {
    console.log(`opened it once more: ${again} has ${(await again.links.list()).length} links`)
  } finally {
    await again.close()
  }

  // get, find and list give plain data, which nobody needs to free.
  const links = await blue.links.list()
  console.log(JSON.stringify(links.map(({ index, kind }) => ({ index, kind }))))
} finally {
  await blue.delete()
}
// Twice is fine.
await blue.delete()
console.log(`left: ${(await Namespace.list()).filter(({ name }) => name === 'blue').length} namespaces called blue`)
