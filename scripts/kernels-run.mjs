// A guest that runs one command on a kernel and goes: this machine's programs and checkout, read-only, under QEMU, with no network device.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileInto } from './kernels-compile.mjs'
import { initrd, jobFolder, shares } from './kernels-initrd.mjs'

/**
 * Runs the test files, and gives what the guest found out: a list of { features } and { file, tests }. `log` gets what the guest prints.
 */
export async function runOn(kernel, files, log) {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-kernel-'))
  try {
    writeFileSync(join(folder, 'initrd'), initrd(kernel))
    await compileInto(join(folder, 'compiled.tar'))
    writeFileSync(join(folder, 'job'), job(files))
    writeFileSync(join(folder, 'results'), '')
    const code = await machine(kernel, folder, log)
    const lines = readFileSync(join(folder, 'results'), 'utf8').split('\n')
    return { code, answers: lines.filter(Boolean).map(line => JSON.parse(line)) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function machine({ image, folder: modules }, folder, log) {
  const share = (tag, path, options) => [
    ...['-fsdev', `local,id=${tag},path=${path},security_model=none,multidevs=remap${options}`],
    ...['-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ]
  const options = [
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '2560'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-nic', 'none', '-serial', 'stdio'],
    ...[
      '-kernel',
      image,
      '-initrd',
      join(folder, 'initrd'),
      '-append',
      'console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off no_timer_check rcupdate.rcu_cpu_stall_suppress=1',
    ],
    ...share(shares.root, '/', ',readonly=on'),
    ...share(shares.modules, join(modules, 'lib/modules'), ',readonly=on'),
    ...share(shares.job, folder, ''),
  ]
  const guest = spawn('nice', ['-n', '10', 'qemu-system-x86_64', ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
  const stop = () => guest.kill()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop)
  guest.stdout.pipe(log, { end: false })
  return new Promise((resolve, reject) => {
    guest.on('error', reject)
    guest.on('close', resolve)
  })
}

/** What the guest runs in place of an init process. Touching a file takes it into the guest's memory, from where programs start faster. */
const job = files => `
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C CI=1
ulimit -n 20000
# Some kernels look for what is executed by its descriptor there, as runc executes itself.
ln -s /proc/self/fd /dev/fd
modprobe --all tun br_netfilter
# dockerd asks for the controllers of old, of which new kernels lack some.
mount -t tmpfs cgroup /sys/fs/cgroup
for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
  mkdir /sys/fs/cgroup/$controller
  mount -t cgroup -o $controller cgroup /sys/fs/cgroup/$controller || rmdir /sys/fs/cgroup/$controller
done
# Otherwise every namespace has the tunnels that some modules put into each.
echo 1 > /proc/sys/net/core/fb_tunnels_only_for_init_net
programs=$(for program in ip nft nsenter unshare sh bridge ${quoted(process.execPath)}; do command -v $program; done)
touch -c $(readlink -f $programs $(ldd $programs | grep -o '/[^ :]* ') | sort -u)
cd ${quoted(process.cwd())}
tar --extract --no-same-owner --file ${jobFolder}/compiled.tar
setsid ${quoted(process.execPath)} scripts/isolated.mjs ${quoted(process.execPath)} scripts/kernels-guest.mjs ${jobFolder}/results ${files.map(quoted).join(' ')} </dev/null 2>&1
echo o > /proc/sysrq-trigger
while :; do sleep 1; done
`

const quoted = word => `'${String(word).replaceAll("'", `'\\''`)}'`
