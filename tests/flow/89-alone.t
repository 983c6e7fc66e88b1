#!/bin/sh
# What waits alone is taken with its plan: others that come meanwhile, a stop,
# a plan that takes long, and one that its runner does not survive.

. "$(dirname "$0")/../lib.sh"
make_site
push_file index.html one first
for i in two three four; do
	commit index.html $i "change $i"
done
push_raw main:refs/heads/next
two=$(head_of HEAD~2)
three=$(head_of HEAD~1)
lock=$repo/slipway/production.lock

state() {
	sql "SELECT state FROM deploys WHERE number = $1"
}

is_state() {
	[ "$(state "$1")" = "$2" ]
}

# ask REV: it waits, as $n, and nobody is at work.
ask() {
	n=$(($(sql 'SELECT max(number) FROM deploys') + 1))
	exec 8>> "$lock"
	flock 8
	"$slipway" deploy -C "$repo" "$1" > /dev/null 2>&1 8>&- &
	_asker=$!
	wait_for 20 is_state "$n" queued
	kill -9 "$_asker"
	wait_for 20 idle
	exec 8>&-
}

# serve HOW: by a runner to which this happens when it opens the log of $n.
serve() {
	strace -o /dev/null -e trace=openat -P "$repo/slipway/log/$n.jsonl" \
	    -e "inject=openat:$1:when=1" \
	    "$slipway" runner -C "$repo" -e production > /dev/null 2>&1
}

# The runner that is stopped, by a signal or by its tracer.
stopped() {
	for _runner in $(program runner); do
		! grep -q '^State:.*[tT] (' "/proc/$_runner/status" ||
		    echo "$_runner"
	done 2>/dev/null
}

# Is one there to stay? A tracer stops it at other calls for no time.
is_held() {
	for _look in 1 2 3; do
		[ -n "$(stopped)" ] || return 1
		sleep 0.05
	done
}

# ask_held REV: and somebody is at it, but has written nothing so far.
ask_held() {
	ask "$1"
	serve signal=SIGSTOP &
	runner=$!
	wait_for 20 is_held && is_state "$n" queued
}

# let_go: it goes on from there, to its end.
let_go() {
	kill -CONT "$(stopped)"
	wait "$runner"
}

ok "one is planned, and waits as long" ask_held "$two"
first=$n
"$slipway" deploy -C "$repo" "$three" > "$T/second" 2>&1 &
second=$!
ok "another one comes" wait_for 20 is_state "$((first + 1))" queued
let_go
ok "and is told that it is live" wait "$second"
check_invariants "after another one has come"
is "the new one goes live" "$(live_file index.html)" three
is "and has taken the place of the first" "$(sql \
    "SELECT state || ' by ' || superseded_by FROM deploys
    WHERE number = $first")" "superseded by $((first + 1))"
ok "which was never begun" \
    [ -z "$(sql "SELECT release FROM deploys WHERE number = $first")" ]

ok "one more is planned" ask_held "$two"
run "$slipway" cancel -C "$repo"
is_exit "it is stopped" 0
let_go
check_invariants "after a stop"
is "it is cancelled" "$(state "$n")" cancelled
is "and nothing of it is done" "$(live_file index.html)" three

# A rollback is no other deploy, and waits behind it.
ok "the next is planned" ask_held "$two"
"$slipway" rollback -C "$repo" > "$T/back" 2>&1 &
back=$!
ok "a rollback comes" wait_for 20 is_state "$((n + 1))" queued
let_go
wait "$back"
check_invariants "after a rollback behind it"
like "and is told for what it waits" "$(cat "$T/back")" \
    "waits: deploy $n is under way"
is "which was live before it" "$(sql \
    "SELECT group_concat(kind || ' ' || state) FROM deploys
    WHERE number >= $n")" "deploy retired,rollback live"
is "and it went back" "$(live_file index.html)" three

# As long as a host does not answer, others see that somebody is at it.
exec 7>> "$root/.slipway/lock"
flock 7
"$slipway" deploy -C "$repo" "$two" > "$T/first" 2>&1 7>&- &
first=$!
n=$((n + 2))
ok "what takes long is taken before that" \
    wait_for 20 is_state "$n" preparing
"$slipway" rollback -C "$repo" > "$T/back" 2>&1 7>&- &
back=$!
ok "who comes then" wait_for 20 is_state "$((n + 1))" queued
ok "is told so" wait_for 20 grep -q "waits: deploy $n is under way" "$T/back"
"$slipway" cancel -C "$repo" > "$T/stop" 2>&1 7>&- &
stop=$!
is_stopped() {
	[ -n "$(sql "SELECT cancelled_by FROM deploys WHERE number = $n")" ]
}
ok "who wants to stop something stops that" wait_for 20 is_stopped
exec 7>&-
wait "$first" "$stop"
wait "$back"
check_invariants "after one whose host did not answer"
is "it is cancelled" "$(state "$n")" cancelled

# The first is killed before anything is written; later ones are not.
live=$(current)
ask "$two"
serve signal=SIGKILL
is "a plan kills its runner, and all is as before" "$(state "$n")" queued
is_old() {
	[ "$(sql "SELECT strftime('%s') - requested_at / 1000 > 6
	    FROM deploys WHERE number = $n")" = 1 ]
}
wait_for 20 is_old
serve signal=SIGKILL
is "what has waited longer is taken first" "$(state "$n")" preparing
run "$slipway" runner -C "$repo" -e production
is "and fails with the next" "$(state "$n")" failed
check_invariants "after a plan that kills"
like "as what it is" "$(deploy "$n" error)" \
    'interrupted while it was preparing'
is "nothing went live" "$(current)" "$live"
slip deploy "$two"
is_exit "the next one does" 0

# What has many commits to be walked through is taken before that.
for i in $(seq 200); do
	printf 'commit refs/heads/long\ncommitter A <a@b> %d +0000\ndata 4\nlong\n' \
	    $((1700000000 + i))
	[ "$i" -ne 1 ] || printf 'from %s\n' "$three"
done | git -C "$work" fast-import --quiet
git -C "$work" push -q production long:refs/heads/long 2> /dev/null

# transactions REV: how many the journal has of a deploy.
transactions() {
	_before=$(od -An -tu4 -j24 -N4 --endian=big "$repo/slipway/journal.db")
	run "$slipway" deploy -C "$repo" "$1"
	echo $(($(od -An -tu4 -j24 -N4 --endian=big \
	    "$repo/slipway/journal.db") - _before))
}
few=$(transactions "$three")
is "that is one transaction more" "$(transactions long)" $((few + 1))
is "it is live" "$(git -C "$repo" rev-parse refs/live/production)" \
    "$(git -C "$repo" rev-parse long)"
done_testing
