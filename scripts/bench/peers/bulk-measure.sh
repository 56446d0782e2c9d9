# Sourced by the peers of scripts/bench/bulk.mjs that run ip: the names and addresses of floor.cc, times, and the line of JSON at the end.
per_bridge=1000
folder=$(mktemp -d /run/bulk.XXXXXX)
moments=()

gateway() { printf -v gateway '10.%d.0.1' $((100 + $1 / per_bridge)); }
address() {
  local number=$(($1 % per_bridge))
  printf -v address '10.%d.%d.%d' $((100 + $1 / per_bridge)) $((number / 250 + 1)) $((number % 250 + 1))
}
mac() { printf -v mac '02:0%d:00:00:%02x:%02x' "$1" $(($2 >> 8)) $(($2 & 255)); }

# Takes down the time, and the processor time of this shell and of what it started, without starting anything.
moment() {
  moments+=("$EPOCHREALTIME")
  times >"$folder/times${#moments[@]}"
}

links_gone() {
  local lines
  while
    mapfile -t lines </proc/thread-self/net/dev
    ((${#lines[@]} > 3))
  do sleep 0.005; done
}

report() {
  awk -v count="$1" -v times="${moments[*]}" '
    function seconds(text,  part) { split(text, part, /[ms]/); return part[1] * 60 + part[2] }
    { cpu[FILENAME] += seconds($1) + seconds($2); if (FNR == 1) order[++files] = FILENAME }
    END {
      split(times, t, " ")
      each = 1e6 / count
      printf "{\"create\":%.1f,\"createCpu\":%.1f,\"remove\":%.1f,\"removeCpu\":%.1f,\"gone\":%.1f}\n", (t[2] - t[1]) * each,
        (cpu[order[2]] - cpu[order[1]]) * each, (t[3] - t[2]) * each, (cpu[order[3]] - cpu[order[2]]) * each, (t[4] - t[2]) * each
    }' "$folder"/times[1-3]
}
