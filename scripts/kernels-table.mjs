// What runs on several kernels found out, by kernel, as tables.

/**
 * Puts the answers of a guest to those of earlier runs on the same kernel: { name: { release, version, suite, date, features, files } }.
 * A file has { passed, failed, skipped, failures }, skipped as counts by reason, failures as what each failed test said first.
 */
export function merged(runs, { name, release, suite }, answers, date = new Date().toISOString().slice(0, 10)) {
  const before = runs[name]?.release === release ? runs[name] : { version: release, features: {}, files: {} }
  const run = { release, version: before.version, suite, date, features: { ...before.features }, files: { ...before.files } }
  for (const { features, version, file, tests } of answers)
    if (file === undefined) {
      Object.assign(run.features, features)
      // The release is that of the interface to modules, which Debian used to keep for years.
      run.version = /Debian (\S+)/.exec(version)?.[1] ?? release
    } else run.files[file] = counted(tests)
  return { ...runs, [name]: run }
}

function counted(tests) {
  const skipped = {}
  for (const { note } of tests.filter(test => test.state === 'skipped')) skipped[note] = (skipped[note] ?? 0) + 1
  const count = state => tests.filter(test => test.state === state).length
  const broken = tests.filter(test => test.state === 'failed')
  const failures = Object.fromEntries(broken.map(({ name, error }) => [name, String(error).split('\n', 1)[0]]))
  return { passed: count('passed'), failed: broken.length, skipped, ...(broken.length > 0 && { failures }) }
}

const sum = skipped => Object.values(skipped).reduce((all, count) => all + count, 0)

/** Passed, failed and skipped of all runs. */
export function totals(runs) {
  const files = Object.values(runs).flatMap(run => Object.values(run.files))
  const add = count => files.reduce((all, file) => all + count(file), 0)
  return [add(file => file.passed), add(file => file.failed), add(file => sum(file.skipped))]
}

/** Three tables: what the kernels have, what the tests found, and why some were skipped. */
export function table(runs) {
  const names = Object.keys(runs).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  const list = names.map(name => runs[name])
  const all = key => [...new Set(list.flatMap(run => Object.keys(run[key])))]
  const head = first => [first, ...list.map(run => `${run.version.replace(/[-+].*/, '')} (${run.suite})`)]
  const features = all('features').map(feature => [feature, ...list.map(({ features: { [feature]: has } }) => answer(has))])
  const files = all('files')
    .sort()
    .map(file => [short(file), ...list.map(run => outcome(run.files[file]))])
  const reasons = list.map(run => {
    const counts = {}
    for (const { skipped } of Object.values(run.files))
      for (const [reason, count] of Object.entries(skipped)) counts[reason] = (counts[reason] ?? 0) + count
    return counts
  })
  const why = [...new Set(reasons.flatMap(Object.keys))]
    .sort()
    .map(reason => [reason, ...reasons.map(counts => String(counts[reason] ?? ''))])
  const broken = new Map()
  for (const [place, { files: found }] of list.entries())
    for (const [file, { failures = {} }] of Object.entries(found))
      for (const [name, reason] of Object.entries(failures)) {
        const row = broken.get(`${short(file)}: ${name}`) ?? list.map(() => '')
        row[place] = reason
        broken.set(`${short(file)}: ${name}`, row)
      }
  const failures = [...broken].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, row]) => [name, ...row])
  const parts = [rows(head('feature'), features), rows(head('tests'), files)]
  if (why.length > 0) parts.push(rows(head('skipped because'), why))
  if (failures.length > 0) parts.push(rows(head('failed'), failures))
  return parts.join('\n')
}

const short = file => file.replace(/^test\/|\.test\.ts$/g, '')

const answer = has => (has === undefined ? '' : has === true ? 'yes' : '—')

function outcome(file) {
  if (file === undefined) return ''
  const skipped = sum(file.skipped)
  return [`${file.passed}`, file.failed > 0 && `**${file.failed} failed**`, skipped > 0 && `${skipped} skipped`].filter(Boolean).join(', ')
}

function rows(head, body) {
  const line = cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return `${line(head)}|${head.map(() => '---|').join('')}\n${body.map(line).join('')}`
}

const kinds = ['ipvlan', 'vrf', 'bond', 'team', 'netkit', 'wireguard', 'gre', 'gretap', 'geneve', 'hsr', 'macsec', 'vcan']

/** What tests know of older kernels, and callers may want to. */
const differences = `
| before | what differs |
|---|---|
| 6.12 | nftables, 6.1 and 5.10: \`trace()\` tells the end of a base chain as a step 'return', and so \`return\` itself |
| 6.12 | nftables, 6.1 and 5.10: frames that a bridge forwards are led past chains of family bridge at priority 0 where br_netfilter filters them by iptables too |
| 6.11 | chains of nftables that jump in a circle are refused with ELOOP by some series, with EMLINK by others |
| 6.9 | nftables: no flag \`persist\` of a table |
| 6.2 | a link that is made is not told in the answer: it is looked for, by name where there is one; a link that is up cannot be renamed |
| 5.19 | nftables: an element that is refused is not named, only the list that it was in |
| 5.19 | nftables: a packet that \`synproxy\` answers is not traced |
| 5.16 | nftables: no payload behind the transport header (\`@ih\`) |
| 5.15 | nftables: \`monitor()\` tells each rule as an 'insert', wherever it was put |
| 5.15 | a list of connections may not be chosen by status: netloom chooses from all |
| 5.14 | namespaces have no cookies: one that has got the inode number of one that is gone is taken for it where only the number is known |
| 5.14 | a subnet's lowest address is a broadcast address too |
| 5.13 | nftables: no element \`*\` of sets and maps (EINVAL, which says so) |
| 5.12 | nftables: no tables with an owner (EINVAL, which says so), so that \`trace({ match })\` is not to be had |
`
/** The page of the documentation. `isKind` says whether netloom has a table of a kind's options. */
export const page = (runs, isKind) => `# Kernels

Debian's stock kernels with the features that netloom's tests ask for, and what the kernel tests found on them. \`npm run test:kernels -- --record\` makes this page
from its runs under QEMU, with this machine's programs; the last ones were on ${[...new Set(Object.values(runs).map(run => run.date))].sort().join(', ')}.
Plain numbers are tests that passed; an empty cell was not run.

Not in netloom yet: options of ${kinds.filter(kind => !isKind(kind)).join(', ')}. Links of these kinds are listed, changed and deleted, and made as \`other:<kind>\` where
the kernel asks for no options (\`kernel/kinds\`).

${table(runs)}
## What older kernels do otherwise

Tests know of these, so that they pass there; where an option needs a newer kernel, its own description says so.
${differences}`
