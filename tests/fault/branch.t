#!/bin/sh
# A runner that is killed, or told to stop, between the move of a
# transactional branch and the journal's word: what is live, the branch and
# refs/live agree again.

. "$(dirname "$0")/../lib.sh"

inject=$build/tests/fault/inject
[ -x "$inject" ] || skip_all "$inject is not there: run make tools"
"$inject" -c fsync pause true 1000 true || [ $? -ne 77 ] ||
    skip_all "there is no ptrace here"

branch() {
	git -C "$repo" rev-parse -q --verify refs/heads/main
}

live() {
	git -C "$repo" rev-parse refs/live/production
}

# The N-th time that the branch has moved, and its folder is to be synced,
# does what stands in the N-th file.
cat > "$T/moved" <<'EOS'
#!/bin/sh
case $INJECT_PATH in
*/logs/*) exit 0 ;;
*/refs/heads) ;;
*) exit 0 ;;
esac
git -C "$REPO" rev-parse main >> "$HERE/seen"
n=$(wc -l < "$HERE/seen")
[ ! -e "$HERE/$n" ] || . "$HERE/$n"
EOS
chmod +x "$T/moved"
export REPO="$T/shop.git" HERE="$T" SLIPWAY_PROGRAM="$slipway"

# push_moved: under the injector, from nothing seen.
push_moved() {
	rm -f "$T/seen"
	run "$inject" -r runner -c fsync -o "$T/calls" \
	    pause "$T/moved" 1 git -C "$work" push production main
	wait_for 20 idle
}

stop() {
	cat <<'EOS'
"$SLIPWAY_PROGRAM" cancel -C "$REPO" > "$HERE/cancel" 2>&1 &
until [ -n "$(sqlite3 "$REPO/slipway/journal.db" \
    "SELECT cancelled_by FROM deploys ORDER BY number DESC LIMIT 1")" ]; do
	sleep 0.02
done
EOS
}

kill_runner() {
	cat <<'EOS'
for p in /proc/[0-9]*; do
	[ "$(readlink "$p/exe")" = "$SLIPWAY_PROGRAM" ] || continue
	tr '\0' ' ' < "$p/cmdline" | grep -q -F -e "$REPO -e production runner" &&
	    kill -9 "${p#/proc/}"
done 2>/dev/null
EOS
}

make_site --transactional
push_file index.html one "first page"
one=$(head_of)
commit index.html two "second page"
two=$(head_of)

stop > "$T/1"
push_moved
check_invariants "after a cancel when the branch has moved"
is "the branch had moved, and went back" "$(paste -s -d ' ' "$T/seen")" \
    "$two $one"
is_exit "the push is told" 1
like "so" "$err" 'deploy 2 was cancelled by'
is "nothing else is live" "$(branch) $(live) $(newest state)" \
    "$one $one rolled-back"

kill_runner > "$T/2"
push_moved
run "$slipway" resume -C "$repo"
check_invariants "after a kill when the branch was taken back"
is "it is back" "$(branch) $(live) $(newest state)" "$one $one rolled-back"
rm "$T/2"

{ stop; kill_runner; } > "$T/1"
push_moved
run "$slipway" resume -C "$repo"
check_invariants "after a cancel and a kill when the branch has moved"
is "it is taken back" "$(branch) $(live) $(newest state)" \
    "$one $one rolled-back"

kill_runner > "$T/1"
push_moved
run "$slipway" resume -C "$repo"
check_invariants "after a kill when the branch has moved"
is "it goes on" "$(branch) $(live) $(newest state)" "$two $two live"
is_exit "and the push is told" 0

stop > "$T/1"
kill_runner >> "$T/1"
commit index.html three "third page"
push_moved
run "$slipway" resume -C "$repo"
push
is_exit "the same commit can be pushed again" 0
is "and is live" "$(branch) $(live)" "$(head_of) $(head_of)"
done_testing
