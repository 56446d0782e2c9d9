// Who takes part in scripts/bench/bulk.mjs: programs that do the work of floor.cc, or why one is left out. POLICY 'none' is addr_gen_mode none
// inside and no IPv6 on the ports, 'kernel' the kernel's defaults. netloom and the floor ask for one queue, the others leave that to the kernel.
import process from 'node:process'
import { findProgram } from '../../machine.mjs'
import { cppProgram, goProgram, local, pythonWith } from './build.mjs'

/** `command(N)` prints microseconds for each namespace as one line of JSON: create, createCpu, remove, removeCpu, gone. */
export function bulkPeers(folder) {
  const floor = cppProgram(folder, '../floor.cc')
  const go = goProgram(folder, 'bulk.go')
  const python = pythonWith('pyroute2')
  const pyroute2 = python.missing ? python : { command: [...python.command, local('bulk.py')] }
  const ip = findProgram('ip') ? {} : { missing: 'Debian package iproute2' }
  const bash = findProgram('bash') ? {} : { missing: 'Debian package bash' }
  const netloom = (size, ...words) => [process.execPath, local('bulk-netloom.mjs'), String(size), ...words]
  const script = (file, ...words) => ({ ...bash, ...ip, command: size => [findProgram('bash'), local(file), String(size), ...words] })
  const program = (built, ...words) => ({ missing: built.missing, command: size => [...built.command, String(size), ...words] })
  return [
    { name: 'C++ floor', policy: 'none', removal: 'names', floor: true, large: true, ...program(floor, 'none', 'names') },
    { name: 'netloom', policy: 'none', removal: 'names', large: true, command: size => netloom(size, 'none', 'names') },
    { name: 'netloom, two threads', policy: 'none', removal: 'names', large: true, command: size => netloom(size, 'none', 'names', 2) },
    { name: 'netloom, none inside too', policy: 'none', removal: 'names', large: true, command: size => netloom(size, 'all', 'names') },
    { name: 'C++ floor, drained', policy: 'none', removal: 'drain', floor: true, large: true, ...program(floor, 'none', 'drain') },
    { name: 'netloom, drained', policy: 'none', removal: 'drain', large: true, command: size => netloom(size, 'none', 'drain') },
    { name: 'Go, as CNI does it', policy: 'none', removal: 'names', ...program(go, 'none', 'cni') },
    { name: 'Go, handles reused', policy: 'none', removal: 'names', ...program(go, 'none', 'handles') },
    { name: 'ip -batch', policy: 'none', removal: 'names', ...script('bulk-ip-batch.sh', 'none') },
    { name: 'C++ floor', policy: 'kernel', removal: 'names', floor: true, ...program(floor, 'kernel', 'names') },
    { name: 'netloom', policy: 'kernel', removal: 'names', command: size => netloom(size, 'kernel', 'names') },
    { name: 'Go, as CNI does it', policy: 'kernel', removal: 'names', ...program(go, 'kernel', 'cni') },
    { name: 'Go, handles reused', policy: 'kernel', removal: 'names', ...program(go, 'kernel', 'handles') },
    { name: 'ip -batch', policy: 'kernel', removal: 'names', slow: true, ...script('bulk-ip-batch.sh', 'kernel') },
    { name: 'ip per command', policy: 'kernel', removal: 'names', slow: true, ...script('bulk-ip.sh') },
    { name: 'pyroute2', policy: 'kernel', removal: 'names', slow: true, ...program(pyroute2) },
  ]
}
