# The steps of a gate: each prints its start and its duration. Sourced by .ci/run and .ci/fast.
#
#   step NAME FUNCTION    runs a function in the foreground; if it fails, the gate ends
#   aside NAME FUNCTION   starts a function in the background; its output goes to a file
#   join FUNCTION         waits for it, prints its output, and ends the gate if it failed
#   skip WHY              reports that a step, or a part of one, was skipped, now and at the end

gate=$PWD/target/gate
tools=$PWD/target/tools
export PATH="$tools/bin:$tools/python/bin:$PATH" CARGO_TERM_COLOR=never RUST_BACKTRACE=1
# the output of `time` goes to stdout too
exec 2>&1
TIMEFORMAT='-- %0R s, of processors %0U s + %0S s'
began=$SECONDS
rm -rf "$gate"
mkdir -p "$gate"
: >"$gate/skipped"
declare -A names=() pids=()

step() {
  printf '\n== %s (at %d s)\n' "$1" "$((SECONDS - began))"
  time ("$2")
}

aside() {
  names[$2]=$1
  # a process group of its own, so that all of it can be stopped
  set -m
  { time ("$2"); } >"$gate/$2.log" 2>&1 </dev/null &
  set +m
  pids[$2]=$!
}

join() {
  local status=0 pid=${pids[$1]}
  wait "$pid" || status=$?
  unset "pids[$1]"
  printf '\n== %s (ran in the background, joined at %d s)\n' "${names[$1]}" "$((SECONDS - began))"
  cat "$gate/$1.log"
  return "$status"
}

skip() {
  printf 'SKIPPED: %s\n' "$1"
  printf '%s\n' "$1" >>"$gate/skipped"
}

finish() {
  local count=0 what
  printf '\n== done\n'
  while read -r what; do
    printf 'SKIPPED: %s\n' "$what"
    count=$((count + 1))
  done <"$gate/skipped"
  printf 'the gate is open: %d steps skipped, %d s\n' "$count" "$((SECONDS - began))"
}

ended() {
  local status=$? function
  [ -z "${in_memory-}" ] || rm -rf "$in_memory"
  for function in "${!pids[@]}"; do
    kill -- "-${pids[$function]}" 2>/dev/null || true
  done
  [ "$status" = 0 ] || printf '\nthe gate is shut: status %d at %d s\n' "$status" "$((SECONDS - began))"
}
trap ended EXIT
