// The same from CommonJS: with require() where Node can require ES modules, and with import() everywhere.
const first = process.features.require_module ? Promise.resolve(require('netloom')) : import('netloom')

Promise.all([first, import('netloom')]).then(async ([one, other]) => {
  const blue = await one.Namespace.create('blue')
  try {
    const again = await other.Namespace.open({ name: 'blue' })
    const refused = await again.links.create({ kind: 'bridge', name: 'lo' }).catch(error => error)
    console.log(JSON.stringify([blue.name, refused instanceof one.NetloomError && refused.code, one.Namespace === other.Namespace]))
    await again.close()
  } finally {
    await blue.delete()
  }
})
