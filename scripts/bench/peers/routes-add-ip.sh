# ip -batch for scripts/bench/routes-add.mjs. Usage: routes-add-ip.sh BATCH.
set -euo pipefail
folder=$(mktemp -d /run/routes.XXXXXX)
times >"$folder/before"
start=$EPOCHREALTIME
ip -batch "$1"
end=$EPOCHREALTIME
times >"$folder/after"
mapfile -t lines </proc/thread-self/net/route
awk -v start="$start" -v end="$end" -v routes=$((${#lines[@]} - 1)) '
  function seconds(text,  part) { split(text, part, /[ms]/); return part[1] * 60 + part[2] }
  { cpu[FILENAME] += seconds($1) + seconds($2) }
  END { printf "{\"add\":%.1f,\"cpu\":%.1f,\"routes\":%d}\n", (end - start) * 1000, (cpu[ARGV[2]] - cpu[ARGV[1]]) * 1000, routes }
' "$folder/before" "$folder/after"
