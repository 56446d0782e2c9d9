// Gets the npm package `netlink`, which netloom is measured next to.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { inodeOfNamespace } from '../../machine.mjs'

/** The version that the benchmarks were written for. */
const wanted = 'netlink@0.3.0'
const minute = 60_000

/**
 * The folder that the package can be required from, or why there is none: the one that NETLOOM_PEERS names, or `folder`, which it is fetched
 * into. That is the one thing that is done outside, where there is a network.
 */
export function npmPeer(folder) {
  const given = process.env.NETLOOM_PEERS
  if (given) return { folder: given }
  const fetch = ['npm', 'install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', wanted]
  const { status, error, stderr } = spawnSync('nsenter', [...outside(), ...fetch], { encoding: 'utf8', timeout: minute })
  if (status === 0) return { folder }
  return { missing: error?.message ?? `npm could not fetch it: ${stderr.trim().split('\n')[0]}` }
}

/** How to enter where scripts/isolated.mjs was started: the namespaces of the parent that is there. */
function outside() {
  for (let pid = process.ppid; pid > 1; pid = Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))[1]))
    if (inodeOfNamespace(`/proc/${pid}/ns/net`) === process.env.NETLOOM_ISOLATED)
      return [`--net=/proc/${pid}/ns/net`, `--mount=/proc/${pid}/ns/mnt`]
  return []
}
