# The work of floor.cc as a script does it, with one ip for each step. Usage: bulk-ip.sh N. IPv6 as the kernel has it.
set -euo pipefail
source "${BASH_SOURCE[0]%/*}/bulk-measure.sh"
count=$1

moment
for ((b = 0; b * per_bridge < count; b++)); do
  gateway $((b * per_bridge)) && mac 3 "$b"
  ip link add "bench$b" address "$mac" up type bridge
  ip address add "$gateway/16" dev "bench$b"
done
for ((i = 0; i < count; i++)); do
  gateway "$i" && address "$i" && mac 2 "$i" && port=$mac && mac 1 "$i"
  ip netns add "b$i"
  ip link add "bp$i" address "$port" type veth peer name eth0 address "$mac" netns "b$i"
  ip -n "b$i" link set lo up
  ip -n "b$i" address add "$address/16" dev eth0
  ip -n "b$i" link set eth0 up
  ip -n "b$i" route add default via "$gateway"
  ip link set "bp$i" master "bench$((i / per_bridge))" up
done
moment
for ((i = 0; i < count; i++)); do ip netns delete "b$i"; done
for ((b = 0; b * per_bridge < count; b++)); do ip link delete "bench$b"; done
moment
links_gone
moment
report "$count"
