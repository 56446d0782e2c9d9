# The work of floor.cc with ip -batch: one batch for everything outside, one in each namespace. Usage: bulk-ip-batch.sh N POLICY. Writing the
# batches is not measured.
set -euo pipefail
source "${BASH_SOURCE[0]%/*}/bulk-measure.sh"
count=$1 policy=$2

for ((b = 0; b * per_bridge < count; b++)); do
  gateway $((b * per_bridge)) && mac 3 "$b"
  printf 'link add bench%d address %s up type bridge\naddress add %s/16 dev bench%d\n' "$b" "$mac" "$gateway" "$b"
done >"$folder/bridges"
for ((i = 0; i < count; i++)); do
  mac 2 "$i" && port=$mac && mac 1 "$i"
  printf 'netns add b%d\nlink add bp%d address %s up master bench%d type veth peer name eth0 address %s netns b%d\n' \
    "$i" "$i" "$port" $((i / per_bridge)) "$mac" "$i"
done >"$folder/outside"
for ((i = 0; i < count; i++)); do
  gateway "$i" && address "$i"
  {
    echo 'link set lo up'
    if [[ $policy == none ]]; then echo 'link set eth0 addrgenmode none'; fi
    printf 'link set eth0 up\naddress add %s/16 dev eth0\nroute add default via %s\n' "$address" "$gateway"
  } >"$folder/inside$i"
done
{
  for ((i = 0; i < count; i++)); do echo "netns delete b$i"; done
  for ((b = 0; b * per_bridge < count; b++)); do echo "link delete bench$b"; done
} >"$folder/removal"

moment
ip -batch "$folder/bridges"
if [[ $policy == none ]]; then echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; fi
ip -batch "$folder/outside"
for ((i = 0; i < count; i++)); do ip -n "b$i" -batch "$folder/inside$i"; done
moment
ip -batch "$folder/removal"
moment
links_gone
moment
report "$count"
