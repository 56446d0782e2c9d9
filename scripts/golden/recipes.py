# The commands whose netlink bytes capture.py records: area → (name, commands that prepare the namespace, command, message wanted).

VETH = 'ip link add v0 type veth peer name v1'
BRIDGE = 'ip link add br0 type bridge'
PORT = [BRIDGE, VETH, 'ip link set v0 master br0']
PORT_UP = PORT + ['ip link set br0 up', 'ip link set v1 up', 'ip link set v0 up', 'until bridge link show dev v0 | grep -q forwarding; do :; done']
UP = [VETH, 'ip link set v0 up', 'ip link set v1 up']
ADDRESSED = UP + ['ip addr add 10.0.0.1/24 dev v0', 'ip -6 addr add 2001:db8::1/64 dev v0 nodad']

LINK_CREATE = [
    ('veth', [], 'ip link add v0 type veth peer name v1', 'NEWLINK'),
    ('veth with everything', ['ip netns add blue'], 'ip link add v0 mtu 1400 address 02:00:00:00:00:01 broadcast ff:ff:ff:ff:ff:fe txqlen 500 group 7 '
     'numtxqueues 1 numrxqueues 2 index 20 up type veth peer name eth0 mtu 1400 address 02:00:00:00:00:02 netns blue', 'NEWLINK'),
    ('veth with the main end elsewhere', ['ip netns add blue'], 'ip link add v0 netns blue type veth peer name v1', 'NEWLINK'),
    ('bridge', [], 'ip link add br0 type bridge', 'NEWLINK'),
    ('bridge with options', [], 'ip link add br0 up type bridge forward_delay 400 hello_time 200 max_age 2000 ageing_time 30000 stp_state 1 priority 4096 '
     'group_fwd_mask 8 group_address 01:80:c2:00:00:04 nf_call_iptables 0 nf_call_ip6tables 0 nf_call_arptables 0', 'NEWLINK'),
    ('bridge with multicast options', [], 'ip link add br0 type bridge mcast_snooping 0 mcast_router 1 mcast_query_use_ifaddr 0 mcast_querier 0 mcast_hash_elasticity 16 '
     'mcast_hash_max 4096 mcast_last_member_count 3 mcast_startup_query_count 3 mcast_last_member_interval 150 mcast_membership_interval 26000 '
     'mcast_querier_interval 25500 mcast_query_interval 12500 mcast_query_response_interval 1000 mcast_startup_query_interval 3125 '
     'mcast_stats_enabled 1 mcast_igmp_version 3 mcast_mld_version 2', 'NEWLINK'),
    ('bridge with vlan options', [], 'ip link add br0 type bridge vlan_filtering 1 vlan_protocol 802.1ad vlan_default_pvid 100 vlan_stats_enabled 1 vlan_stats_per_port 1', 'NEWLINK'),
    ('bridge with switches', [], 'ip link add br0 type bridge no_linklocal_learn 1 mcast_vlan_snooping 0', 'NEWLINK'),
    ('vxlan', [], 'ip link add vx0 type vxlan id 42 remote 10.0.0.2 local 10.0.0.1 dstport 4789', 'NEWLINK'),
    ('vxlan with options', [VETH], 'ip link add vx0 type vxlan id 16777215 group 239.1.1.1 dev v0 ttl 5 tos 8 ageing 60 maxaddress 100 srcport 32768 61000 dstport 8472 '
     'nolearning proxy rsc l2miss l3miss noudpcsum df set', 'NEWLINK'),
    ('vxlan over IPv6', [], 'ip link add vx0 type vxlan id 43 remote 2001:db8::2 local 2001:db8::1 dstport 4789 udp6zerocsumtx udp6zerocsumrx ttl inherit flowlabel 9', 'NEWLINK'),
    ('vxlan external', [], 'ip link add vx0 type vxlan external vnifilter gbp dstport 4789', 'NEWLINK'),
    ('macvlan', [VETH], 'ip link add link v0 mv0 type macvlan mode bridge', 'NEWLINK'),
    ('macvlan with options', [VETH], 'ip link add link v0 mv0 type macvlan mode passthru nopromisc', 'NEWLINK'),
    ('macvlan with a queue length', [VETH], 'ip link add link v0 mv0 type macvlan mode source bcqueuelen 2000', 'NEWLINK'),
    ('macvlan source addresses', [VETH, 'ip link add link v0 mv0 type macvlan mode source'],
     'ip link set mv0 type macvlan macaddr set 02:00:00:00:00:07 02:00:00:00:00:08', 'NEWLINK'),
    ('macvtap', [VETH], 'ip link add link v0 name tap0 type macvtap mode vepa', 'NEWLINK'),
    ('ipvlan', [VETH], 'ip link add link v0 name iv0 type ipvlan mode l3', 'NEWLINK'),
    ('ipvlan with a flag', [VETH], 'ip link add link v0 name iv0 type ipvlan mode l3s vepa', 'NEWLINK'),
    ('ipvtap', [VETH], 'ip link add link v0 name tap0 type ipvtap mode l2 private', 'NEWLINK'),
    ('ifb', [], 'ip link add ifb5 type ifb', 'NEWLINK'),
    ('dummy', [], 'ip link add d0 mtu 9000 type dummy', 'NEWLINK'),
    ('vlan', [VETH], 'ip link add link v0 name v0.10 type vlan id 10', 'NEWLINK'),
    ('vlan with options', [VETH], 'ip link add link v0 name v0.11 type vlan protocol 802.1ad id 11 reorder_hdr off gvrp on loose_binding on '
     'ingress-qos-map 1:2 3:4 egress-qos-map 5:6', 'NEWLINK'),
    ('a kind without a table', [], 'ip link add red type vrf table 100', 'NEWLINK'),
]

LINK_CHANGE = [
    ('up', [VETH], 'ip link set v0 up', 'NEWLINK'),
    ('down', UP, 'ip link set v0 down', 'NEWLINK'),
    ('mtu', [VETH], 'ip link set v0 mtu 1300', 'NEWLINK'),
    ('mac', [VETH], 'ip link set v0 address 02:00:00:00:00:09', 'NEWLINK'),
    ('name', [VETH], 'ip link set v0 name eth0', 'NEWLINK'),
    ('txqlen', [VETH], 'ip link set v0 txqueuelen 77', 'NEWLINK'),
    ('alias', [VETH], 'ip link set v0 alias uplink', 'NEWLINK'),
    ('master', [BRIDGE, VETH], 'ip link set v0 master br0', 'NEWLINK'),
    ('nomaster', PORT, 'ip link set v0 nomaster', 'NEWLINK'),
    ('group', [VETH], 'ip link set v0 group 9', 'NEWLINK'),
    ('netns by name', ['ip netns add blue', VETH], 'ip link set v0 netns blue name eth0', 'NEWLINK'),
    ('netns by pid', [VETH], 'ip link set v0 netns 4194303', 'NEWLINK'),
    ('promisc, allmulticast, arp, multicast', [VETH], 'ip link set v0 promisc on allmulticast on arp off multicast off', 'NEWLINK'),
    ('addrgenmode', [VETH], 'ip link set v0 addrgenmode none', 'NEWLINK'),
    ('token', [VETH], 'ip token set ::1:2 dev v0', 'SETLINK'),
    ('protodown', [VETH], 'ip link set v0 protodown on', 'NEWLINK'),
    ('carrier', [VETH], 'ip link set v0 carrier off', 'NEWLINK'),
    ('gso', [VETH], 'ip link set v0 gso_max_size 32768 gso_max_segs 100', 'NEWLINK'),
    ('bridge options of a bridge', [BRIDGE], 'ip link set br0 type bridge ageing_time 6000 stp_state 1', 'NEWLINK'),
    ('flush of a bridge', [BRIDGE], 'ip link set br0 type bridge fdb_flush', 'NEWLINK'),
    ('port options', PORT, 'ip link set v0 type bridge_slave state 3 priority 16 cost 42 guard on root_block on fastleave on learning off flood off '
     'proxy_arp on mcast_router 2 mcast_flood off bcast_flood off mcast_to_unicast on group_fwd_mask 8 neigh_suppress on isolated on hairpin on locked on', 'NEWLINK'),
    ('port flush', PORT, 'ip link set v0 type bridge_slave fdb_flush', 'NEWLINK'),
    ('port backup', PORT + ['ip link set v1 master br0'], 'ip link set v0 type bridge_slave backup_port v1', 'NEWLINK'),
    ('bridge link set', PORT, 'bridge link set dev v0 cost 7 priority 9 hairpin on learning off', 'SETLINK'),
    ('bridge link set self', PORT, 'bridge link set dev v0 hwmode vepa self', 'SETLINK'),
    ('altname add', [VETH], 'ip link property add dev v0 altname a-much-longer-name altname second', 'NEWLINKPROP'),
    ('altname delete', [VETH, 'ip link property add dev v0 altname a-much-longer-name'], 'ip link property del dev v0 altname a-much-longer-name', 'DELLINKPROP'),
    ('vlan of a port', PORT, 'bridge vlan add dev v0 vid 10 pvid untagged', 'SETLINK'),
    ('vlans of a port', PORT, 'bridge vlan add dev v0 vid 20-30', 'SETLINK'),
    ('vlan of a bridge', [BRIDGE], 'bridge vlan add dev br0 vid 10 self', 'SETLINK'),
    ('vlan delete', PORT, 'bridge vlan del dev v0 vid 1', 'DELLINK'),
    ('delete', [VETH], 'ip link delete v0', 'DELLINK'),
    ('delete a group', [], 'ip link delete group 99', 'DELLINK'),
]

LINK_READ = [
    ('get', [VETH], 'ip link show dev v0', 'GETLINK'),
    ('get an alternative name', [VETH, 'ip link property add dev v0 altname a-much-longer-name'], 'ip -d link show dev a-much-longer-name', 'GETLINK'),
    ('get veth in two namespaces', ['ip netns add blue', 'ip link add v0 type veth peer name eth0 netns blue'], 'ip -d -s link show dev v0', 'GETLINK'),
    ('get lo', [], 'ip -d link show dev lo', 'GETLINK'),
    ('get bridge', ['ip link add br0 up type bridge stp_state 1'], 'ip -d link show dev br0', 'GETLINK'),
    ('get port', PORT + ['ip link set br0 up', 'ip link set v0 up alias port-of-blue', 'ip link set v1 up'], 'ip -d -s link show dev v0', 'GETLINK'),
    ('get vxlan', ['ip link add vx0 type vxlan id 42 remote 10.0.0.2 local 10.0.0.1 dstport 4789'], 'ip -d link show dev vx0', 'GETLINK'),
    ('get vxlan over IPv6', ['ip link add vx0 type vxlan id 43 remote 2001:db8::2 local 2001:db8::1 dstport 4789'], 'ip -d link show dev vx0', 'GETLINK'),
    ('get macvlan', [VETH, 'ip link add link v0 mv0 type macvlan mode source',
     'ip link set mv0 type macvlan macaddr set 02:00:00:00:00:07 02:00:00:00:00:08'], 'ip -d link show dev mv0', 'GETLINK'),
    ('get macvtap', [VETH, 'ip link add link v0 name tap0 type macvtap mode vepa'], 'ip -d link show dev tap0', 'GETLINK'),
    ('get ifb', ['ip link add ifb5 type ifb'], 'ip -d link show dev ifb5', 'GETLINK'),
    ('get tap', ['ip tuntap add dev tap7 mode tap user 0'], 'ip -d link show dev tap7', 'GETLINK'),
    ('get tun', ['ip tuntap add dev tun7 mode tun multi_queue'], 'ip -d link show dev tun7', 'GETLINK'),
    ('dump', [VETH], 'ip link show', 'GETLINK'),
    ('dump of a kind', [BRIDGE, VETH], 'ip link show type bridge', 'GETLINK'),
    ('dump of ports', PORT, 'ip link show master br0', 'GETLINK'),
    ('dump of bridge ports', PORT, 'bridge -d link show', 'GETLINK'),
    ('dump of IPv6 tokens', [VETH], 'ip token list', 'GETLINK'),
    ('dump of port vlans', PORT, 'bridge vlan show', 'GETLINK'),
]

ADDRESS = [
    ('add', UP, 'ip addr add 10.0.0.1/24 dev v0', 'NEWADDR'),
    ('add with broadcast and label', UP, 'ip addr add 10.0.0.1/24 broadcast + label v0:web scope link dev v0', 'NEWADDR'),
    ('add with peer', UP, 'ip addr add 10.0.0.1 peer 10.0.9.1/32 dev v0', 'NEWADDR'),
    ('add with lifetimes', UP, 'ip addr add 10.0.0.1/24 dev v0 valid_lft 3600 preferred_lft 1800', 'NEWADDR'),
    ('add without prefix route', UP, 'ip addr add 10.0.0.1/24 dev v0 noprefixroute metric 50', 'NEWADDR'),
    ('add with metric', UP, 'ip addr add 10.0.0.1/24 dev v0 metric 50', 'NEWADDR'),
    ('add IPv6', UP, 'ip addr add 2001:db8::1/64 dev v0', 'NEWADDR'),
    ('add IPv6 nodad', UP, 'ip addr add 2001:db8::1/64 dev v0 nodad noprefixroute preferred_lft 0', 'NEWADDR'),
    ('add IPv6 for temporary addresses', UP, 'ip addr add 2001:db8::1/64 dev v0 home mngtmpaddr nodad', 'NEWADDR'),
    ('replace', ADDRESSED, 'ip addr replace 10.0.0.1/24 dev v0 valid_lft 60 preferred_lft 30', 'NEWADDR'),
    ('change', ADDRESSED, 'ip addr change 2001:db8::1/64 dev v0 valid_lft forever preferred_lft forever', 'NEWADDR'),
    ('delete', ADDRESSED, 'ip addr del 10.0.0.1/24 dev v0', 'DELADDR'),
    ('delete IPv6', ADDRESSED, 'ip addr del 2001:db8::1/64 dev v0', 'DELADDR'),
    ('dump', ADDRESSED, 'ip addr show', 'GETADDR'),
    ('dump of one link', ADDRESSED + ['ip addr add 10.0.1.1/24 dev v0 valid_lft 3600 preferred_lft 1800 label v0:x'], 'ip -4 addr show dev v0', 'GETADDR'),
    ('dump IPv6', ADDRESSED, 'ip -6 addr show dev v0', 'GETADDR'),
]

ROUTE = [
    ('add default', ADDRESSED, 'ip route add default via 10.0.0.2', 'NEWROUTE'),
    ('add network', ADDRESSED, 'ip route add 10.1.0.0/16 via 10.0.0.2 dev v0 metric 100 src 10.0.0.1', 'NEWROUTE'),
    ('add on link', ADDRESSED, 'ip route add 10.1.0.0/16 dev v0', 'NEWROUTE'),
    ('add host', ADDRESSED, 'ip route add 10.1.0.9 dev v0 scope link proto static', 'NEWROUTE'),
    ('add onlink gateway', ADDRESSED, 'ip route add 10.1.0.0/16 via 192.0.2.1 dev v0 onlink', 'NEWROUTE'),
    ('add to a table', ADDRESSED, 'ip route add 10.1.0.0/16 via 10.0.0.2 table 100 proto 186', 'NEWROUTE'),
    ('add to a large table', ADDRESSED, 'ip route add 10.1.0.0/16 via 10.0.0.2 table 70000', 'NEWROUTE'),
    ('add blackhole', ADDRESSED, 'ip route add blackhole 10.2.0.0/16', 'NEWROUTE'),
    ('add unreachable', ADDRESSED, 'ip route add unreachable 10.2.0.0/16 metric 9', 'NEWROUTE'),
    ('add prohibit', ADDRESSED, 'ip route add prohibit 10.2.0.0/16', 'NEWROUTE'),
    ('add throw', ADDRESSED, 'ip route add throw 10.2.0.0/16 table 100', 'NEWROUTE'),
    ('add local', ADDRESSED, 'ip route add local 10.3.0.0/16 dev lo', 'NEWROUTE'),
    ('add broadcast', ADDRESSED, 'ip route add broadcast 10.3.0.255 dev v0', 'NEWROUTE'),
    ('add multipath', ADDRESSED, 'ip route add 10.4.0.0/16 nexthop via 10.0.0.2 dev v0 weight 1 nexthop via 10.0.0.3 weight 5 nexthop via 192.0.2.1 dev v0 onlink', 'NEWROUTE'),
    ('add metrics', ADDRESSED, 'ip route add 10.5.0.0/16 via 10.0.0.2 mtu lock 1400 advmss 1360 window 65535 rtt 100ms initcwnd 20 initrwnd 30 hoplimit 9 '
     'quickack 1 congctl reno features ecn', 'NEWROUTE'),
    ('add with tos and realm', ADDRESSED, 'ip route add 10.6.0.0/16 via 10.0.0.2 tos 0x10 realms 1/2', 'NEWROUTE'),
    ('add via another family', ADDRESSED, 'ip route add 10.7.0.0/16 via inet6 2001:db8::2 dev v0', 'NEWROUTE'),
    ('add encapsulated', ADDRESSED, 'ip route add 10.8.0.0/16 encap ip id 5 dst 10.0.0.9 dev v0', 'NEWROUTE'),
    ('add by nexthop object', ADDRESSED + ['ip nexthop add id 5 via 10.0.0.2 dev v0'], 'ip route add 10.9.0.0/16 nhid 5', 'NEWROUTE'),
    ('add IPv6 default', ADDRESSED, 'ip -6 route add default via 2001:db8::2 metric 5 pref high', 'NEWROUTE'),
    ('add IPv6 via link-local', ADDRESSED, 'ip -6 route add 2001:db8:1::/48 via fe80::1 dev v0 expires 300', 'NEWROUTE'),
    ('add IPv6 multipath', ADDRESSED, 'ip -6 route add 2001:db8:2::/48 nexthop via 2001:db8::2 nexthop via 2001:db8::3 weight 3', 'NEWROUTE'),
    ('add IPv6 by source', ADDRESSED, 'ip -6 route add 2001:db8:3::/48 from 2001:db8:9::/64 via 2001:db8::2 ttl-propagate enabled', 'NEWROUTE'),
    ('append', ADDRESSED, 'ip route append 10.1.0.0/16 via 10.0.0.2', 'NEWROUTE'),
    ('replace', ADDRESSED, 'ip route replace default via 10.0.0.3 dev v0', 'NEWROUTE'),
    ('change', ADDRESSED + ['ip route add default via 10.0.0.2'], 'ip route change default via 10.0.0.3 dev v0', 'NEWROUTE'),
    ('delete', ADDRESSED + ['ip route add default via 10.0.0.2'], 'ip route del default via 10.0.0.2 dev v0', 'DELROUTE'),
    ('delete by destination', ADDRESSED + ['ip route add 10.1.0.0/16 via 10.0.0.2'], 'ip route del 10.1.0.0/16', 'DELROUTE'),
    ('delete IPv6', ADDRESSED + ['ip -6 route add 2001:db8:1::/48 via 2001:db8::2'], 'ip -6 route del 2001:db8:1::/48', 'DELROUTE'),
    ('get', ADDRESSED + ['ip route add default via 10.0.0.2'], 'ip route get 192.0.2.7', 'GETROUTE'),
    ('get with origin', ADDRESSED + ['ip route add default via 10.0.0.2'], 'ip route get 192.0.2.7 from 10.0.0.1 mark 7 oif v0 uid 9 ipproto udp sport 5 dport 53', 'GETROUTE'),
    ('get fibmatch', ADDRESSED + ['ip route add default via 10.0.0.2 mtu 1400'], 'ip route get fibmatch 192.0.2.7', 'GETROUTE'),
    ('get IPv6', ADDRESSED, 'ip -6 route get 2001:db8::7', 'GETROUTE'),
    ('dump', ADDRESSED + ['ip route add default via 10.0.0.2', 'ip route add blackhole 10.2.0.0/16', 'ip route add 10.5.0.0/16 via 10.0.0.2 mtu lock 1400 advmss 1360 congctl reno',
     'ip route add 10.4.0.0/16 nexthop via 10.0.0.2 dev v0 weight 1 nexthop via 10.0.0.3 weight 5', 'ip route add 10.7.0.0/16 via inet6 2001:db8::2 dev v0'],
     'ip route show table main', 'GETROUTE'),
    ('dump local', ADDRESSED, 'ip route show table local', 'GETROUTE'),
    ('dump IPv6', ADDRESSED + ['ip -6 route add default via 2001:db8::2 metric 5 pref high',
     'ip -6 route add 2001:db8:2::/48 nexthop via 2001:db8::2 nexthop via 2001:db8::3 weight 3'], 'ip -6 route show table main', 'GETROUTE'),
]

RULE = [
    ('add', [], 'ip rule add from 10.0.0.0/24 table 100', 'NEWRULE'),
    ('add with everything', [VETH], 'ip rule add priority 1000 from 10.0.0.0/24 to 10.1.0.0/16 tos 0x10 fwmark 0x5/0xff iif v0 oif v1 uidrange 5-10 ipproto tcp '
     'sport 1000-2000 dport 80 suppress_prefixlength 0 suppress_ifgroup 3 protocol static table 70000', 'NEWRULE'),
    ('add not', [], 'ip rule add not fwmark 5 lookup main pref 99', 'NEWRULE'),
    ('add blackhole', [], 'ip rule add from 10.9.0.0/16 blackhole', 'NEWRULE'),
    ('add goto', [], 'ip rule add pref 10 goto 32766', 'NEWRULE'),
    ('add with realm and tunnel', [], 'ip rule add tun_id 7 realms 1/2 table 5', 'NEWRULE'),
    ('add IPv6', [], 'ip -6 rule add from 2001:db8::/32 unreachable', 'NEWRULE'),
    ('add l3mdev', [], 'ip rule add l3mdev pref 1000', 'NEWRULE'),
    ('delete', ['ip rule add from 10.0.0.0/24 table 100'], 'ip rule del from 10.0.0.0/24 table 100', 'DELRULE'),
    ('dump', ['ip rule add from 10.0.0.0/24 fwmark 0x5/0xff uidrange 5-10 sport 1000-2000 table 100'], 'ip rule show', 'GETRULE'),
    ('dump IPv6', [], 'ip -6 rule show', 'GETRULE'),
]

NEIGHBOUR = [
    ('add', ADDRESSED, 'ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0', 'NEWNEIGH'),
    ('add IPv6', ADDRESSED, 'ip neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev v0 nud reachable protocol static', 'NEWNEIGH'),
    ('add router', ADDRESSED, 'ip neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev v0 nud stale router extern_learn', 'NEWNEIGH'),
    ('add managed', ADDRESSED, 'ip neigh add 10.0.0.9 dev v0 managed', 'NEWNEIGH'),
    ('add proxy', ADDRESSED, 'ip neigh add proxy 10.0.0.77 dev v0', 'NEWNEIGH'),
    ('replace', ADDRESSED, 'ip neigh replace 10.0.0.9 lladdr 02:00:00:00:00:0a dev v0 nud permanent', 'NEWNEIGH'),
    ('delete', ADDRESSED + ['ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0'], 'ip neigh del 10.0.0.9 dev v0', 'DELNEIGH'),
    ('get', ADDRESSED + ['ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0 protocol static'], 'ip neigh get 10.0.0.9 dev v0', 'GETNEIGH'),
    ('dump', ADDRESSED + ['ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0', 'ip neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev v0'], 'ip -s neigh show nud all', 'GETNEIGH'),
    ('dump of one link', ADDRESSED, 'ip -4 neigh show dev v0', 'GETNEIGH'),
    ('dump of proxies', ADDRESSED + ['ip neigh add proxy 10.0.0.77 dev v0'], 'ip neigh show proxy', 'GETNEIGH'),
    ('dump of tables', [], 'ip -s ntable show', 'GETNEIGHTBL'),
    ('set table', [VETH], 'ip ntable change name arp_cache dev v0 base_reachable 20000 queue 200', 'SETNEIGHTBL'),
    ('set table thresholds', [], 'ip ntable change name arp_cache thresh1 256 thresh2 1024 thresh3 2048', 'SETNEIGHTBL'),
    ('fdb add', PORT, 'bridge fdb add 02:00:00:00:00:09 dev v0 master static', 'NEWNEIGH'),
    ('fdb add to a vlan', PORT, 'bridge fdb add 02:00:00:00:00:09 dev v0 master vlan 10 sticky dynamic', 'NEWNEIGH'),
    ('fdb add to a vxlan', ['ip link add vx0 type vxlan id 42 dstport 4789'], 'bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.9 port 8472 vni 43 src_vni 42', 'NEWNEIGH'),
    ('fdb replace', PORT, 'bridge fdb replace 02:00:00:00:00:09 dev v0 master extern_learn', 'NEWNEIGH'),
    ('fdb delete', PORT + ['bridge fdb add 02:00:00:00:00:09 dev v0 master static'], 'bridge fdb del 02:00:00:00:00:09 dev v0 master', 'DELNEIGH'),
    ('fdb get', PORT + ['bridge fdb add 02:00:00:00:00:09 dev v0 master static'], 'bridge fdb get 02:00:00:00:00:09 br br0', 'GETNEIGH'),
    ('fdb flush', PORT, 'bridge fdb flush dev br0 vlan 5 permanent', 'DELNEIGH'),
    ('fdb dump', PORT_UP + ['bridge fdb add 02:00:00:00:00:09 dev v0 master static', 'bridge fdb add 02:00:00:00:00:0a dev v0 master dynamic'], 'bridge -s fdb show', 'GETNEIGH'),
    ('fdb dump of a bridge', PORT, 'bridge fdb show br br0', 'GETNEIGH'),
    ('fdb dump of a port', PORT, 'bridge fdb show brport v0', 'GETNEIGH'),
    ('fdb dump of a vxlan', ['ip link add vx0 type vxlan id 42 dstport 4789', 'bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.9 port 8472 vni 43'],
     'bridge fdb show dev vx0', 'GETNEIGH'),
]

NSID = [
    ('set', ['ip netns add blue'], 'ip netns set blue 7', 'NEWNSID'),
    ('set auto', ['ip netns add blue'], 'ip netns set blue auto', 'NEWNSID'),
    ('get', ['ip netns add blue', 'ip netns set blue 7'], 'ip netns list', 'GETNSID'),
    ('get unassigned', ['ip netns add blue'], 'ip netns list', 'GETNSID'),
    ('dump', ['ip netns add blue', 'ip netns set blue 7'], 'ip netns list-id', 'GETNSID'),
    ('dump of another', ['ip netns add blue', 'ip netns set blue 7', 'ip netns add red', 'ip netns set red 8'], 'ip netns list-id target-nsid 7', 'GETNSID'),
]

NEXTHOP = [
    ('add', ADDRESSED, 'ip nexthop add id 5 via 10.0.0.2 dev v0', 'NEWNEXTHOP'),
    ('add blackhole', ADDRESSED, 'ip nexthop add id 6 blackhole', 'NEWNEXTHOP'),
    ('add IPv6', ADDRESSED, 'ip nexthop add id 7 via 2001:db8::2 dev v0 protocol static onlink', 'NEWNEXTHOP'),
    ('add group', ADDRESSED + ['ip nexthop add id 5 via 10.0.0.2 dev v0', 'ip nexthop add id 6 via 10.0.0.3 dev v0'], 'ip nexthop add id 10 group 5/6,3', 'NEWNEXTHOP'),
    ('add resilient group', ADDRESSED + ['ip nexthop add id 5 via 10.0.0.2 dev v0'],
     'ip nexthop add id 10 group 5 type resilient buckets 8 idle_timer 60 unbalanced_timer 300', 'NEWNEXTHOP'),
    ('add fdb', ADDRESSED, 'ip nexthop add id 8 via 10.0.0.2 fdb', 'NEWNEXTHOP'),
    ('delete', ADDRESSED + ['ip nexthop add id 5 via 10.0.0.2 dev v0'], 'ip nexthop del id 5', 'DELNEXTHOP'),
    ('get', ADDRESSED + ['ip nexthop add id 5 via 10.0.0.2 dev v0'], 'ip nexthop get id 5', 'GETNEXTHOP'),
    ('dump', ADDRESSED + ['ip nexthop add id 5 via 10.0.0.2 dev v0', 'ip nexthop add id 6 via 10.0.0.3 dev v0', 'ip nexthop add id 10 group 5/6,3',
     'ip nexthop add id 11 group 5 type resilient buckets 8'], 'ip nexthop show', 'GETNEXTHOP'),
]

# The kernel's words about requests that it refuses.
REFUSED = [
    ('vxlan twice', ['ip link add vx0 type vxlan id 42 dstport 4789'], 'ip link add vx1 type vxlan id 42 dstport 4789', 'NEWLINK'),
    ('name in use', [VETH], 'ip link add v0 type veth peer name v2', 'NEWLINK'),
    ('peer name in use', [VETH], 'ip link add v3 type veth peer name v1', 'NEWLINK'),
    ('macvlan without a lower device', [], 'ip link add mv0 type macvlan', 'NEWLINK'),
    ('mtu out of range', [VETH], 'ip link set v0 mtu 1', 'NEWLINK'),
    ('moving a bridge', ['ip netns add blue', BRIDGE], 'ip link set br0 netns blue', 'NEWLINK'),
    ('moving lo', ['ip netns add blue'], 'ip link set lo netns blue', 'NEWLINK'),
    ('unknown kind', [], 'ip link add x0 type frobnicate', 'NEWLINK'),
    ('master that is none', [VETH], 'ip link set v0 master lo', 'NEWLINK'),
    ('get a missing link', [], 'ip link show dev nosuch', 'GETLINK'),
    ('address twice', ADDRESSED, 'ip addr add 10.0.0.1/24 dev v0', 'NEWADDR'),
    ('route without a reachable gateway', ADDRESSED, 'ip route add default via 192.0.2.1', 'NEWROUTE'),
    ('route twice', ADDRESSED + ['ip route add default via 10.0.0.2'], 'ip route add default via 10.0.0.2', 'NEWROUTE'),
    ('route that is not there', ADDRESSED, 'ip route del 10.77.0.0/16', 'DELROUTE'),
    ('route to nowhere', [], 'ip route get 192.0.2.7', 'GETROUTE'),
    ('rule goto backwards', [], 'ip rule add pref 32000 goto 10', 'NEWRULE'),
    ('neighbour without an address', ADDRESSED, 'ip neigh add 10.0.0.9 dev v0', 'NEWNEIGH'),
    ('fdb entry of a link outside a bridge', UP, 'bridge fdb add 02:00:00:00:00:09 dev v0 master static', 'NEWNEIGH'),
]

AREAS = {
    'link-create': LINK_CREATE, 'link-change': LINK_CHANGE, 'link-read': LINK_READ, 'address': ADDRESS, 'route': ROUTE, 'rule': RULE,
    'neighbour': NEIGHBOUR, 'nsid': NSID, 'nexthop': NEXTHOP, 'refused': REFUSED,
}
