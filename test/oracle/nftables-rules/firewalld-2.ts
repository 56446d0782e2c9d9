// Real-life rules of firewalld, each as nft 1.0.6 prints it.
import { nft } from '../../../lib/index.js'
import type { RuleRow } from './row.js'

const { accept, ct, goto, ip, masquerade, meta, not, oifname, redirect, rule, tcp } = nft

export const firewalld2: readonly RuleRow[] = [
  {
    origin: 'firewalld: chain filter_FWDO_public_allow',
    family: 'inet',
    table: 'firewalld',
    chain: 'filter_FWDO_public_allow',
    text: 'oifname "ppp0" tcp flags syn tcp option maxseg size set 536 accept',
    rule: rule(oifname('ppp0'), tcp.flags('syn'), tcp.option('maxseg', 'size').set(536), accept),
  },
  {
    origin: 'firewalld: chain nat_POST_public_allow',
    family: 'inet',
    table: 'firewalld',
    chain: 'nat_POST_public_allow',
    text: 'meta nfproto ipv4 oifname != "lo" masquerade',
    rule: rule(meta.nfproto('ipv4'), oifname(not('lo')), masquerade),
  },
  {
    origin: 'firewalld: chain nat_PRE_public_allow',
    family: 'inet',
    table: 'firewalld',
    chain: 'nat_PRE_public_allow',
    text: 'meta nfproto ipv4 tcp dport 8080 redirect to :80',
    rule: rule(meta.nfproto('ipv4'), tcp.dport(8080), redirect({ port: 80 })),
  },
  {
    origin: 'firewalld: chain filter_IN_public_allow',
    family: 'inet',
    table: 'firewalld',
    chain: 'filter_IN_public_allow',
    objects: ['ct helper helper-ftp-tcp { type "ftp" protocol tcp; l3proto inet }'],
    text: 'tcp dport 21 ct helper set "helper-ftp-tcp"',
    rule: rule(tcp.dport(21), ct.helper.set('helper-ftp-tcp')),
  },
  {
    origin: 'firewalld: chain filter_INPUT_ZONES',
    family: 'inet',
    table: 'firewalld',
    chain: 'filter_INPUT_ZONES',
    chains: ['filter_IN_block'],
    objects: ['set blocklist { type ipv4_addr; flags interval; elements = { 10.10.10.0/24, 192.0.2.5 } }'],
    text: 'ip saddr @blocklist goto filter_IN_block',
    rule: rule(ip.saddr('@blocklist'), goto('filter_IN_block')),
  },
]
