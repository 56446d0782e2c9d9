// Builds the addon with node-gyp, unless the one that is there is newer than everything it is made from. `--force` builds anyway.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const addon = join(root, 'build', 'Release', 'netloom.node')

function sources() {
  const native = readdirSync(join(root, 'native')).map(name => join(root, 'native', name))
  return [...native, join(root, 'binding.gyp'), fileURLToPath(import.meta.url)]
}

function upToDate() {
  if (!existsSync(addon)) return false
  const built = statSync(addon).mtimeMs
  return sources().every(file => statSync(file).mtimeMs <= built)
}

/** The project's own in a checkout; npm's, which brings one, where only the package is installed. */
function nodeGyp() {
  const require = createRequire(import.meta.url)
  const prefix = dirname(dirname(process.execPath))
  const candidates = [
    () => require.resolve('node-gyp/bin/node-gyp.js'),
    () => process.env.npm_config_node_gyp,
    () => join(prefix, 'lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js'),
  ]
  for (const candidate of candidates) {
    try {
      const path = candidate()
      if (path && existsSync(path)) return path
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  console.error('netloom: node-gyp is needed to build the native part: npm install --no-save node-gyp')
  process.exit(1)
}

/** Headers that came with this Node save a download. */
function headers() {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : []
}

if (process.platform !== 'linux') {
  console.error('netloom: the native part is for Linux only; there is nothing to build here')
} else if (!process.argv.includes('--force') && upToDate()) {
  console.log('netloom: the native part is up to date')
} else {
  const result = spawnSync(process.execPath, [nodeGyp(), 'configure', 'build', '--loglevel=warn', ...headers()], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (result.error) throw result.error
  process.exitCode = result.status ?? 1
}
