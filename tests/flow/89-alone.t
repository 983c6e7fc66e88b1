#!/bin/sh
# What waits alone is taken with its plan: others that come meanwhile, a stop,
# and a plan that its runner does not survive.

. "$(dirname "$0")/../lib.sh"
make_site
push_file index.html one first
for i in two three four; do
	commit index.html $i "change $i"
done
lock=$repo/slipway/production.lock

state() {
	sql "SELECT state FROM deploys WHERE number = $1"
}

# ask REV: it waits, as $n, and nobody is at work.
ask() {
	n=$(($(sql 'SELECT max(number) FROM deploys') + 1))
	exec 8>> "$lock"
	flock 8
	"$slipway" deploy -C "$repo" "$1" > /dev/null 2>&1 8>&- &
	_asker=$!
	until [ "$(state "$n")" = queued ]; do sleep 0.01; done
	kill -9 "$_asker"
	until idle; do sleep 0.01; done
	exec 8>&-
}

# serve HOW: by a runner to which this happens when it opens the log of $n.
serve() {
	strace -o /dev/null -e trace=openat -P "$repo/slipway/log/$n.jsonl" \
	    -e "inject=openat:$1:when=1" \
	    "$slipway" runner -C "$repo" -e production > /dev/null 2>&1
}

# ask_held REV: and somebody is at it, but has written nothing so far. On a
# busy machine it may be old before that, and is asked for once more.
ask_held() {
	for _try in 1 2 3 4 5 6 7 8; do
		ask "$1"
		serve delay_enter=2000000 &
		runner=$!
		wait_for 10 sh -c '! flock -n "$1" true' sh "$lock"
		sleep 0.5
		[ "$(state "$n")" = queued ] && return
		wait "$runner"
	done
	false
}

push_raw main:refs/heads/next
two=$(head_of HEAD~2)
three=$(head_of HEAD~1)

ok "one is planned, and waits as long" ask_held "$two"
first=$n
"$slipway" deploy -C "$repo" "$three" > "$T/second" 2>&1 &
second=$!
ok "another one comes" wait_for 10 \
    sh -c '[ "$(sqlite3 "$1" "SELECT max(number) FROM deploys")" -gt "$2" ]' \
    sh "$repo/slipway/journal.db" "$first"
wait "$runner"
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
wait "$runner"
check_invariants "after a stop"
is "it is cancelled" "$(state "$n")" cancelled
is "and nothing of it is done" "$(live_file index.html)" three

# killed REV: one that was asked for just now, before anything is written.
killed() {
	for _try in 1 2 3 4 5 6 7 8; do
		ask "$1"
		serve signal=SIGKILL
		[ "$(state "$n")" = queued ] && return
		"$slipway" runner -C "$repo" -e production
	done
	false
}

ok "a plan kills its runner, and all is as before" killed "$two"
sleep 1.1
serve signal=SIGKILL
is "what has waited longer is taken first" "$(state "$n")" preparing
run "$slipway" runner -C "$repo" -e production
is "and fails with the next" "$(state "$n")" failed
check_invariants "after a plan that kills"
like "as what it is" "$(deploy "$n" error)" \
    'interrupted while it was preparing'
is "nothing went live" "$(live_file index.html)" three
slip deploy "$two"
is_exit "the next one does" 0
done_testing
