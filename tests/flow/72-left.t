#!/bin/sh
# What one environment or one deploy has left is found by whoever comes next,
# and nothing is called done that was not.

. "$(dirname "$0")/../lib.sh"

make_site
config <<EOF2
[environment staging]
branch = develop
root = $T/staging

[action gate]
phase = build
directive = gate
run = touch $T/ready.\$(cat version); until test -e $T/go.\$(cat version); do sleep 0.05; done
EOF2
add_site staging "$T/staging"
"$slipway" init "$repo" > "$T/init" 2>&1 || diag "$(cat "$T/init")"

# begin VERSION: a push of main that waits in its gate, or for its turn.
begin() {
	commit version "$1" "$1 -gate-"
	setsid git -C "$work" push production main > "$T/push.$1" 2>&1 \
	    < /dev/null &
	pid=$!
	started "$pid"
}

queued() {
	sql "SELECT count(*) FROM deploys WHERE state = 'queued'" | grep -q 1
}

finished() {
	! sql "SELECT finished_at FROM deploys" | grep -q -x 0
}

notes_of() {
	git -C "$repo" notes --ref=deploys show "$1" 2>&1
}

push_file version one one
git -C "$work" checkout -q -b develop
push_file version dev dev develop
git -C "$work" checkout -q main
wait_for 15 idle

# The notes of one deploy cannot be written, and the next one waits already.
notes=$(git -C "$repo" rev-parse refs/notes/deploys)
begin two
two=$(head_of)
ok "a deploy holds" wait_for 15 test -e "$T/ready.two"
begin three
ok "another one waits" wait_for 15 queued
git -C "$repo" update-ref -d refs/notes/deploys
git -C "$repo" update-ref refs/notes/deploys/x "$notes"
touch "$T/go.two"
ok "the next one holds" wait_for 30 test -e "$T/ready.three"
like "the first has no notes" "$(notes_of "$two")" 'no note found'
git -C "$repo" update-ref -d refs/notes/deploys/x
git -C "$repo" update-ref refs/notes/deploys "$notes"
touch "$T/go.three"
wait "$pid"
wait_for 15 idle
check_invariants "after both"
like "the next one has its notes" "$(notes_of main)" \
    '^production: live .*, deploy 4 by '
like "and the first got its own" "$(notes_of "$two")" \
    '^production: live .*, deploy 3 by '

# From within a container the runner cannot be seen, and its lock can.
begin four
ok "one more holds" wait_for 15 test -e "$T/ready.four"
if unshare -p --fork --mount-proc true 2> /dev/null; then
	run unshare -p --fork --mount-proc "$slipway" status -C "$repo"
	is_exit "in another PID namespace" 0
	unlike "its runner is not taken for dead" "$out" 'left '
fi

# All of it is killed, and somebody pushes to the other environment.
# shellcheck disable=SC2046 # one word a process
kill -9 "-$pid" $(program runner) $(program agent)
wait_for 10 idle
touch "$T/go.four"
git -C "$work" checkout -q develop
push_file version dev2 "dev two" develop
git -C "$work" checkout -q main
like "a push to another environment tells of it" "$banner" \
    'deploy 5 of production was left unfinished when its runner ended'
ok "and it comes to its end" wait_for 20 finished
is "as always" "$(deploy 5 state)" failed
wait_for 15 idle
touch "$T/go.dev3"
push_file version dev3 "five"
unlike "the next push has nothing to tell" "$err" 'left unfinished'

# Somebody holds the lock: nothing is said to be done.
git -C "$repo" update-ref refs/live/production "$two"
rm "$root/current"
flock -F "$repo/slipway/production.lock" sleep 1000 &
holder=$!
started "$holder"
held() {
	! flock -n "$repo/slipway/production.lock" true
}
ok "the lock is held" wait_for 15 held
run "$slipway" resume -C "$repo" -e production
is_exit "resume is busy" 4
is "nothing is told as done" "$out" ""
like "and says what to do" "$err" \
    'production.lock is held by .*; run slipway resume again when that has'
kill "$holder"
slip resume -e production
is_exit "when it has gone" 0
like "the ref is moved" "$out" 'refs/live/production .*; moved there'
like "current is put back" "$out" "current is not there, .*; put back"
is "it is" "$(live_file version)" dev3

# A deploy that is begun while a push looks whether one was left is not told
# of as such: when its lock was looked at, its runner was not yet there.
inject=$build/tests/fault/inject
"$inject" -c fsync pause true 1000 true > /dev/null 2>&1 ||
    case $? in 77|126|127) done_testing ;; esac
case ${SLIPWAY_SANITIZE-} in
# Its leak check cannot be traced.
*address*) done_testing ;;
esac
no_runner() {
	[ -z "$(program runner)" ]
}
flock -F "$repo/slipway/production.lock" sleep 1000 &
holder=$!
started "$holder"
ok "the lock is held again" wait_for 15 held
begin five
ok "a deploy waits" wait_for 15 queued
kill -9 "-$pid"
ok "with no runner" wait_for 15 no_runner
kill "$holder"
number=$(newest deploy)
cat > "$T/close" <<'EOF3'
#!/bin/sh
[ ! -e "$HERE/begun" ] || exit 0
fd=$(find /proc/[0-9]*/fd -lname "$REPO/slipway/production.lock" \
    2> /dev/null | head -n 1)
[ -n "$fd" ] || exit 0
case $(find "${fd%/*}" -printf '%l ') in
*/mountinfo*|*/proc/locks*) exit 0 ;;
esac
touch "$HERE/begun"
setsid "$SLIPWAY_PROGRAM" runner -C "$REPO" -e production \
    > /dev/null 2>&1 < /dev/null &
until [ -e "$HERE/ready.five" ]; do sleep 0.02; done
EOF3
chmod +x "$T/close"
export REPO="$repo" HERE="$T" SLIPWAY_PROGRAM="$slipway"
git -C "$work" checkout -q develop
commit version dev4 "dev four"
run "$inject" -r post-receive -c close -o "$T/calls" pause "$T/close" 1 \
    git -C "$work" push production develop
is_exit "a push to another environment" 0
ok "while one began here" test -e "$T/begun"
unlike "does not take its runner for gone" "$err" 'left unfinished'
touch "$T/go.five"
ok "it ends" wait_for 20 finished
wait_for 15 idle
check_invariants "after that"
is "as it should" "$(deploy "$number" state)" live

done_testing
