#!/bin/sh
# Readers, while "current" flips: a path is always there, and what was opened
# through one descriptor of the folder is of one release.
#
# COUNT flips, with 1000 opens for each of them, and a real deploy for every
# 25th; "all" is 1,000 flips.

[ -n "${TMPDIR-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/../lib.sh"

flips=${COUNT:-100}
[ "$flips" != all ] || flips=1000
deploys=$((flips / 25))
readers=$build/tests/tool/readers

make_site
config <<'EOF'
keep = 3
EOF

# Each file says of which version it is, and how it is called.
publish() {
	for name in a b c d; do
		put "$name" "$1 $name"
	done
	git -C "$work" commit -q -m "version $1"
	push_raw
}

for i in 1 2 3; do
	publish "$i"
done
run "$readers" -f "$flips" -n "$((flips * 1000))" 4 "$root"
is_exit "$flips flips: nothing is missing, nothing is mixed" 0
is "nobody has seen anything else" "$err" ""
diag "opens, and folders that were held over a flip: $out"
ok "there were as many opens" [ "${out% *}" -ge "$((flips * 1000))" ]
ok "folders were held over flips" [ "${out#* }" -ge "$((flips / 10))" ]
check_invariants "after $flips flips"

# Real deploys, of which each removes a release; and back, now and then.
sed -i 's/^keep = 3/keep = 1/' "$repo/slipway.ini"
mkfifo "$T/end"
"$readers" 4 "$root" < "$T/end" > "$T/seen" 2> "$T/faults" &
reading=$!
started "$reading"
exec 8> "$T/end"
went=0
for i in $(seq "$deploys"); do
	publish "deploy$i"
	[ "$(live_file a)" != "deploy$i a" ] || went=$((went + 1))
	[ $((i % 4)) -ne 0 ] || run "$slipway" rollback -C "$repo"
done
exec 8>&-
wait "$reading"
is "$deploys deploys: nothing is missing, nothing is mixed" "$?" 0
is "nobody has seen anything else while deploying" "$(cat "$T/faults")" ""
diag "opens, and folders that were held over a flip: $(cat "$T/seen")"
is "every deploy went live" "$went" "$deploys"
check_invariants "after $deploys deploys"

# What a descriptor of the folder is good for, with the least "keep".
publish first
exec 7< "$root/current"
held=$(readlink "/proc/$$/fd/7")
publish second
is "an open folder is whole while its release is the one before" \
    "$(cat "/proc/$$/fd/7/a" "/proc/$$/fd/7/d" | paste -s -d ,)" \
    "first a,first d"
is "and its place is the same" "$(readlink "/proc/$$/fd/7")" "$held"
publish third
not_ok "after another deploy the release is gone" test -e "$held"
like "and its folder is the next one's to be made of" \
    "$(readlink "/proc/$$/fd/7")" "/.slipway/spare/"
exec 7<&-

# A working directory keeps a release; so does a larger "keep".
(cd "$root/current" && exec sleep 100) &
started "$!"
held=$(current)
wait_for 5 test "/proc/$!/cwd" -ef "$root/current"
publish fourth
publish fifth
is "a working directory keeps its release" "$(cat "$root/releases/$held/a")" \
    "third a"
kill "$!"
wait "$!" 2>/dev/null
sed -i 's/^keep = 1/keep = 3/' "$repo/slipway.ini"
exec 7< "$root/current"
publish sixth
publish seventh
is "an open folder is whole for as long as \"keep\" says" \
    "$(cat "/proc/$$/fd/7/a")" "fifth a"
publish eighth
like "and no longer" "$(readlink "/proc/$$/fd/7")" "/.slipway/spare/"
exec 7<&-
check_invariants "at the end"
done_testing
