// Every real-life rule: the list was fixed before the builders were made, and is what they are measured by.

import { cni } from './cni.js'
import { docker1 } from './docker-1.js'
import { docker2 } from './docker-2.js'
import { documentation1 } from './documentation-1.js'
import { documentation2 } from './documentation-2.js'
import { documentation3 } from './documentation-3.js'
import { fail2ban } from './fail2ban.js'
import { firewalld1 } from './firewalld-1.js'
import { firewalld2 } from './firewalld-2.js'
import { kubernetes } from './kubernetes.js'
import { libvirt } from './libvirt.js'
import { openwrt } from './openwrt.js'
import { podman } from './podman.js'
import type { RuleRow } from './row.js'

export const realRules: readonly RuleRow[] = [
  ...docker1,
  ...docker2,
  ...podman,
  ...cni,
  ...firewalld1,
  ...firewalld2,
  ...libvirt,
  ...kubernetes,
  ...fail2ban,
  ...openwrt,
  ...documentation1,
  ...documentation2,
  ...documentation3,
]
