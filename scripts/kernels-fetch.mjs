// Debian's stock kernels, fetched with apt under a state of its own, so that the machine's sources and packages stay as they are, and kept in a cache.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** By the word for a kernel: the suite whose generic one it is. */
export const suites = new Map([
  ['5.10', 'bullseye'],
  ['6.1', 'bookworm'],
  ['6.12', 'trixie'],
  ['newest', 'sid'],
])

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'netloom-kernels')

/**
 * A kernel as { image, folder, release }: `folder` has its lib/modules. It is fetched if the cache has none, or if `fresh` is said.
 */
export function kernel(name, fresh = false) {
  const suite = suites.get(name)
  const folder = join(cache, suite)
  if (fresh || !existsSync(join(folder, 'vmlinuz'))) fetch(suite, folder)
  const [release] = readdirSync(join(folder, 'lib/modules'))
  return { name, suite, release, folder, image: join(folder, 'vmlinuz') }
}

function fetch(suite, folder) {
  if (!existsSync(keyring)) throw new Error(`${keyring} is missing (Debian package debian-archive-keyring)`)
  const work = `${folder}.new`
  rmSync(work, { recursive: true, force: true })
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'packages', 'tree/lib/modules'])
    mkdirSync(join(work, part), { recursive: true })
  writeFileSync(join(work, 'status'), '')
  writeFileSync(join(work, 'sources.list'), `deb [signed-by=${keyring}] ${mirror()} ${suite} main\n`)
  writeFileSync(join(work, 'apt.conf'), configuration(work))
  const apt = (...args) => demand(args, { cwd: join(work, 'packages'), env: { ...process.env, APT_CONFIG: join(work, 'apt.conf') } })
  apt('apt-get', '-qq', 'update')
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(relation => `--no-${relation}`)
  // What the name stands for: one package, or with newer kernels one each for image, modules and base.
  const names = apt('apt-cache', 'depends', '--recurse', ...only, 'linux-image-amd64').match(/^linux-(image|binary|modules|base)-\d.*$/gm)
  if (names === null) throw new Error(`${suite} has no kernel under the name linux-image-amd64`)
  apt('apt-get', '-qq', 'download', ...names)
  for (const file of readdirSync(join(work, 'packages'))) demand(['dpkg-deb', '-x', join(work, 'packages', file), join(work, 'files')])
  keep(work)
  rmSync(folder, { recursive: true, force: true })
  renameSync(join(work, 'tree'), folder)
  rmSync(work, { recursive: true })
}

/** Keeps image and modules, whichever way the packages lay them out. */
function keep(work) {
  const tree = join(work, 'tree')
  const modules = ['lib/modules', 'usr/lib/modules'].map(place => join(work, 'files', place)).find(existsSync)
  const [release] = readdirSync(modules)
  renameSync(join(modules, release), join(tree, 'lib/modules', release))
  const image = [join(tree, 'lib/modules', release, 'vmlinuz'), join(work, 'files/boot', `vmlinuz-${release}`)].find(existsSync)
  cpSync(image, join(tree, 'vmlinuz'))
  demand(['depmod', '--basedir', tree, release])
}

/** The mirror that apt is configured for. */
function mirror() {
  if (process.env.NETLOOM_DEBIAN_MIRROR) return process.env.NETLOOM_DEBIAN_MIRROR
  const filter = ['Created-By: Packages', 'Origin: Debian', 'Label: Debian']
  const [site] = demand(['apt-get', 'indextargets', '--format', '$(SITE)', ...filter]).split('\n')
  if (site === '') throw new Error('apt is configured for no mirror of Debian; name one in NETLOOM_DEBIAN_MIRROR')
  return site
}

const configuration = folder => `Dir::Etc::sourcelist "${folder}/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "${folder}/state";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}/cache";
APT::Architecture "amd64";
APT::Sandbox::User "";
Acquire::Languages "none";
`

export function demand([command, ...args], options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { maxBuffer: 1 << 28, encoding: 'utf8', ...options })
  if (status !== 0)
    throw new Error(`${command} ${args.slice(0, 3).join(' ')}: ${error ?? String(stderr).trim().split('\n').slice(-5).join('\n')}`)
  return stdout
}
