// Which errors make sense for which system call, and which of the addon's calls are not made to fail.

/** Those that the call, or a filter in front of it, may give on a healthy machine that runs out of something. */
export const errorsOf: Readonly<Record<string, readonly string[]>> = {
  bind: ['ENOMEM', 'EPERM', 'ENOBUFS'],
  close: ['EINTR', 'ENOSPC'],
  epoll_create1: ['EMFILE', 'ENOMEM'],
  epoll_ctl: ['ENOMEM', 'ENOSPC', 'EPERM'],
  epoll_wait: ['EINTR'],
  eventfd: ['EMFILE', 'ENOMEM'],
  fcntl: ['EPERM'],
  flock: ['EINTR', 'ENOMEM'],
  fstatfs: ['EINTR', 'ENOMEM'],
  getsockname: ['ENOBUFS'],
  getsockopt: ['ENOMEM', 'EPERM'],
  ioctl: ['ENOMEM', 'EPERM'],
  linkat: ['ENOSPC', 'EPERM', 'ENOMEM'],
  listen: ['ENOMEM', 'EPERM'],
  mkdir: ['ENOSPC', 'EPERM', 'ENOMEM'],
  mount: ['ENOMEM', 'EPERM', 'ENOSPC'],
  open: ['EINTR', 'EMFILE', 'ENOMEM', 'EPERM', 'ENOSPC'],
  openat: ['EINTR', 'EMFILE', 'ENOMEM', 'EPERM'],
  poll: ['EINTR', 'ENOMEM'],
  prctl: ['EPERM'],
  pthread_create: ['EAGAIN', 'EPERM'],
  read: ['EINTR', 'ENOMEM', 'EPERM'],
  readlink: ['ENOMEM', 'EPERM'],
  recvmsg: ['EINTR', 'ENOMEM', 'ENOBUFS', 'EPERM'],
  rmdir: ['ENOMEM', 'EPERM'],
  sendmsg: ['EINTR', 'ENOBUFS', 'ENOMEM', 'EPERM', 'EAGAIN'],
  sendto: ['EINTR', 'ENOBUFS', 'ENOMEM', 'EPERM'],
  setns: ['ENOMEM', 'EPERM'],
  setsockopt: ['ENOBUFS', 'ENOMEM', 'EPERM'],
  socket: ['EMFILE', 'ENOMEM', 'ENOBUFS', 'EPERM'],
  statx: ['ENOMEM', 'EPERM'],
  syscall: ['EMFILE', 'ENOMEM', 'EPERM'],
  umount2: ['ENOMEM', 'EPERM', 'EAGAIN'],
  unlink: ['ENOMEM', 'EPERM', 'ENOSPC'],
  unshare: ['ENOSPC', 'ENOMEM', 'EPERM'],
  write: ['EINTR', 'ENOSPC', 'ENOMEM', 'EPERM'],
}

/** The other functions of the C library that the addon imports, and why they are not in the table. */
const helper = 'only in the process that becomes a command: test/lifecycle/faults-exec.test.ts'
const none = 'makes no system call, or none that can fail'
export const reasons: Readonly<Record<string, string>> = {
  execvp: helper,
  setgid: helper,
  setgroups: helper,
  setuid: helper,
  signal: helper,
  sigprocmask: helper,
  statfs: helper,
  ...Object.fromEntries(
    ['abort', 'clock_gettime', 'environ', 'memcpy', 'memmove', 'memset', 'sigemptyset', 'sigfillset', 'strcmp', 'strlen', 'strnlen']
      .concat(
        ['cond_broadcast', 'cond_destroy', 'cond_signal', 'cond_wait', 'join', 'mutex_lock', 'mutex_unlock', 'self', 'sigmask'].map(
          name => `pthread_${name}`,
        ),
      )
      .map(name => [name, none]),
  ),
}
