// The first file system of a guest: busybox and the modules that it takes to mount this machine's root, which then becomes the guest's.
import { readFileSync } from 'node:fs'
import { demand } from './kernels-fetch.mjs'
import { findProgram } from './machine.mjs'

/** Mounts of the guest: the machine's root as it is, the kernel's modules, and a folder that both may write. */
export const shares = { root: 'root', modules: 'modules', job: 'job' }
/** Where the guest has the folder that both may write. */
export const jobFolder = '/netloom'

const transport = 'trans=virtio,version=9p2000.L,msize=512000'
/** The machine's root stays as it is: what the guest writes is in its memory. */
const init = `#!/bin/busybox sh
export PATH=/bin
busybox mkdir -p /dev /proc /lower /upper /new
busybox mount -t devtmpfs devtmpfs /dev
busybox mount -t proc proc /proc
for module in /modules/*; do busybox insmod $module || echo "initrd: $module"; done
busybox mount -t 9p -o ro,cache=loose,${transport} ${shares.root} /lower
busybox mount -t tmpfs -o size=80% tmpfs /upper
busybox mkdir /upper/data /upper/work
busybox mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work overlay /new
busybox mkdir -p /new/lib/modules /new${jobFolder} /new/run /new/sys /new/dev /new/proc
busybox mount -t 9p -o ro,cache=loose,${transport} ${shares.modules} /new/lib/modules
busybox mount -t 9p -o ${transport} ${shares.job} /new${jobFolder}
busybox mount -t sysfs sysfs /new/sys
busybox mount -t tmpfs -o mode=755 tmpfs /new/run
busybox mount --move /dev /new/dev
busybox mkdir -p /new/dev/pts /new/dev/shm
busybox mount -t devpts devpts /new/dev/pts
busybox mount -t tmpfs tmpfs /new/dev/shm
busybox mount --move /proc /new/proc
exec busybox switch_root /new /bin/sh ${jobFolder}/job
`

/** The archive for a kernel: { folder, release }. */
export function initrd({ folder, release }) {
  const wanted = ['virtio_pci', '9pnet_virtio', '9p', 'overlay']
  const shown = wanted.map(module => demand(['modprobe', '--dirname', folder, '--set-version', release, '--show-depends', module]))
  const files = [...new Set(shown.join('').match(/(?<=^insmod )\S+/gm))]
  const modules = files.map((file, place) => [`modules/${String(place).padStart(2, '0')}.ko`, unpacked(file)])
  return archive([
    ['bin', undefined],
    ['modules', undefined],
    ['bin/busybox', readFileSync(findProgram('busybox'))],
    ['init', Buffer.from(init)],
    ...modules,
  ])
}

const unpacked = file =>
  file.endsWith('.xz') ? demand(['xz', '--decompress', '--stdout', file], { encoding: 'buffer' }) : readFileSync(file)

/** An archive in cpio's form "newc", as the kernel unpacks it. Entries without content are folders. */
export function archive(entries) {
  const parts = [...entries, ['TRAILER!!!', Buffer.alloc(0)]].map(([name, content], place) => {
    const folder = content === undefined
    // In order: inode, mode, uid, gid, links, time, size, device (4), length of the name, checksum.
    const fields = [place + 1, folder ? 0o040755 : 0o100755, 0, 0, folder ? 2 : 1, 0, content?.length ?? 0, 0, 0, 0, 0, name.length + 1, 0]
    const head = `070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}${name}\0`
    return Buffer.concat([padded(Buffer.from(head)), padded(content ?? Buffer.alloc(0))])
  })
  return Buffer.concat(parts)
}

const padded = buffer => Buffer.concat([buffer, Buffer.alloc(-buffer.length & 3)])
