#!/bin/sh
# A runner or an agent that is killed: the next runner brings the deploy to
# an end, forward or back, wherever it was.

. "$(dirname "$0")/../lib.sh"

make_site
config_trace <<EOF
keep_failed = 1

[action gate]
phase = build
directive = gate
run = touch $T/ready; until test -e $T/go; do sleep 0.05; done

[action page]
phase = maintenance
directive = once
run = touch $T/page
undo = rm $T/page

[action schema]
phase = migrate
directive = schema
record = cat $T/schema
run = echo half > $T/schema; echo run >> "\$TRACE"; touch $T/ready; until test -e $T/go; do sleep 0.05; done; cat version > $T/schema
undo = echo undo >> "\$TRACE"; cp "\$SLIPWAY_RECORD" $T/schema

[action once]
phase = migrate
directive = once
retry = no
record = cat $T/schema; test ! -e $T/blind || exit 5; test ! -e $T/die || { rm $T/die; kill -9 \$PPID; }
run = echo half > $T/schema; touch $T/ready; until test -e $T/go; do sleep 0.05; done
undo = echo undo >> "\$TRACE"; cp "\$SLIPWAY_RECORD" $T/schema

[action blind]
phase = migrate
directive = blind
retry = no
run = touch $T/ready; until test -e $T/go; do sleep 0.05; done

[action slow]
phase = migrate
directive = slow
run = echo run >> "\$TRACE"
undo = echo undo >> "\$TRACE"; touch $T/ready; until test -e $T/go; do sleep 0.05; done

[action fails]
phase = migrate
directive = fails
run = exit 3

[action restart]
phase = restart
run = echo "restart \$(cat "\$SLIPWAY_CURRENT/version")" >> "\$TRACE"; if test -e $T/hold; then touch $T/ready; until test -e $T/go; do sleep 0.05; done; fi; test ! -e $T/no

[action mail]
phase = notify
directive = mail
run = echo mail >> "\$TRACE"; touch $T/ready; until test -e $T/go; do sleep 0.05; done

[action drop]
phase = contract
directive = drop
retry = no
run = echo drop >> "\$TRACE"; touch $T/ready; until test -e $T/go; do sleep 0.05; done

[action tidy]
phase = contract
directive = tidy
run = echo tidy >> "\$TRACE"; exit 4

[action signal]
phase = clear
retry = no
run = test ! -e $T/hold-signal || { echo signal >> "\$TRACE"; touch $T/ready; until test -e $T/go; do sleep 0.05; done; }
EOF
echo zero > "$T/schema"

# begin MESSAGE: a push on top of what is live that reaches its gate.
begin() {
	git -C "$work" reset -q --hard \
	    "$(git -C "$repo" rev-parse refs/live/production)"
	commit version "$1" "$1"
	watch git -C "$work" push --force production main
}

# watch COMMAND...: in a session of its own, until the gate is reached.
watch() {
	: > "$T/trace"
	rm -f "$T/ready" "$T/go"
	setsid "$@" > "$T/watch.out" 2>&1 < /dev/null &
	pid=$!
	started "$pid"
	wait_for 15 test -e "$T/ready" || diag "the gate was not reached" \
	    "$(cat "$T/watch.out")"
	n=$(newest deploy)
}

# Nobody who watches may start another runner before we look. (One that was
# watched is gone with its session.)
kill_runner() {
	kill -9 "-$pid" 2>/dev/null
	for p in $(program runner); do
		kill -9 "$p"
	done
	wait_for 10 idle || diag "something is left: $(slipway_processes)"
	rm -f "$T/ready"
}

recover() {
	touch "$T/go"
	run "$slipway" runner -C "$repo" -e production
	is_exit "$1: the next runner succeeds" 0
	check_invariants "after $1"
}

steps() {
	sql "SELECT action || ' ' || state FROM steps WHERE deploy = $n
	    AND phase IN ('migrate', 'restart', 'notify') ORDER BY id" |
	    paste -s -d ,
}

push_file version one "one"
one=$(current)

# Before anything was touched.
begin "two -gate-"
kill_runner
is "the old release is live" "$(current)" "$one"
recover "the runner was killed in prepare"
is "it is abandoned" "$(deploy "$n" state)" failed
like "it says why" "$(deploy "$n" error)" 'interrupted while it was preparing'
is "its release is gone" "$(ls "$root/releases")" "$one"
run "$slipway" show -C "$repo" "$n"
like "the banner has what was asked for, as that of any failure" "$out" \
    '^  directives +gate interrupted$'
like "no time is made up for what was interrupted" "$out" \
    '^  build +gate: interrupted, nobody knows after how long$'
is "nor in JSON" "$(deploy "$n" steps.0.duration_ms)" null
is "its step has an end" \
    "$(sql "SELECT state FROM steps WHERE deploy = $n")" interrupted
begin "three -gate-"
run "$slipway" show -C "$repo" "$n"
unlike "of one under way nothing is said to be left" "$out" '^  left'
kill_runner
run "$slipway" show -C "$repo" "$n"
like "show says that its runner is gone" "$out" \
    "^  left +its runner is gone: slipway resume -C $repo\$"
is_exit "and has shown it" 0
ln -sfn "releases/$(deploy "$n" release)" "$root/current"
git -C "$work" reset -q --hard HEAD~1
commit version four "four"
push --force main
is_exit "the next push recovers, too" 0
is "and is live, whatever current was pointed at by hand" \
    "$(live_file version)" four
is "the one that was given up is so" "$(deploy "$n" state)" failed
not_ok "and its release has gone" \
    test -e "$root/releases/$(deploy "$n" release)"

# In a migration: forward.
begin "five -schema-"
run "$slipway" show -C "$repo" "$n"
like "show says that migrations run" "$out" '^  migrations +under way$'
kill_runner
run "$slipway" show -C "$repo" "$n"
like "and that they were interrupted" "$out" \
    '^  migrations +interrupted, may have changed data$'
is "the old release is live" "$(live_file version)" four
recover "the runner was killed in a migration"
is "it is resumed" "$(deploy "$n" state)" live
is "its release is live" "$(live_file version)" "five -schema-"
like "the banner says that the directive was done" \
    "$("$slipway" show -C "$repo" "$n")" '^  directives +schema done$'
is "the step ran again" "$(steps)" \
    "schema interrupted,schema done,restart done"
is "to its end" "$(cat "$T/schema")" "five -schema-"
slip rollback
is "what it recorded is from before the first try" "$(cat "$T/schema")" zero

# Again and again.
begin "six -schema-"
kill_runner
for i in 2 3; do
	watch "$slipway" runner -C "$repo" -e production
	[ "$i" = 3 ] || is "interrupted again, it goes on" "$(steps)" \
	    "schema interrupted,schema running"
	kill_runner
done
recover "the runner was killed three times"
is "the third time is enough" "$(deploy "$n" state)" rolled-back
is "what it did is undone" "$(cat "$T/schema")" zero
like "it says why" "$(deploy "$n" error)" 'migrate \(schema\): .* 3 times'

# With retry = no: back.
begin "seven -once-"
kill_runner
recover "the runner was killed in a step with retry = no"
is "it is taken back" "$(deploy "$n" state)" rolled-back
is "since it had an effect, that is undone" "$(cat "$T/schema")" zero
is "the old release is live" "$(live_file version)" four
is "its services are restarted" "$(trace | paste -s -d ,)" \
    "undo,restart four"
like "it says why" "$(deploy "$n" error)" 'migrate \(once\): .*retry = no'
not_ok "the maintenance page is down" test -e "$T/page"
for how in blind die; do
	begin "seven and $how -once-"
	touch "$T/$how"
	kill_runner
	recover "the runner was killed, and its step's record command: $how"
	is "$how: it is taken back" "$(deploy "$n" state)" rolled-back
	is "$how: its effect is undone" "$(cat "$T/schema")" zero
	run "$slipway" show -C "$repo" "$n" --follow
	like "$how: which is told" "$out" '^  migrations +ran, undone$'
	rm -f "$T/blind"
	[ "$how" = die ] || like "$how: nobody could look" "$out" \
	    '^warning: once was .* counts as if .* record command failed: exit 5'
done
begin "eight -blind-"
kill_runner
recover "the runner was killed in a step without a record"
is "it is taken back" "$(deploy "$n" state)" rolled-back
run "$slipway" show -C "$repo" "$n"
like "nobody knows what it has done, and that is said" "$out" \
    'migrations +.*may have'

# While it was taken back.
begin "nine -slow- -fails-"
kill_runner
ln -s releases/none "$root/.current.1.tmp"
recover "the runner was killed in an undo"
not_ok "what a flip that was killed has left is swept" \
    test -L "$root/.current.1.tmp"
is "it is taken back" "$(deploy "$n" state)" rolled-back
is "by the undo, again" "$(trace | paste -s -d ,)" \
    "run,undo,undo,restart four"
like "it says why" "$(deploy "$n" error)" 'migrate \(fails\): exit 3'

# After the flip.
touch "$T/hold"
begin ten
is "the new release is live for visitors" "$(live_file version)" ten
isnt "but not yet for the journal" "$(deploy "$n" state)" live
rm "$T/hold"
kill_runner
recover "the runner was killed after the flip"
is "it is live" "$(deploy "$n" state)" live
is "the restart was done again" "$(trace | paste -s -d ,)" \
    "restart ten,restart ten"

# After it was live.
begin "eleven -mail-"
is "it is live" "$(deploy "$n" state)" live
kill_runner
is "its end is open" "$(deploy "$n" finished_at)" null
recover "the runner was killed in finish"
is "it still is live" "$(deploy "$n" state)" live
isnt "its end is told" "$(deploy "$n" finished_at)" null
is "what was interrupted was done again" "$(trace | grep -c ^mail)" 2

begin "eleven and a half -drop- -mail-"
kill_runner
recover "the runner was killed in a step of finish with retry = no"
is "which is not run a second time" "$(trace | sed 1d | paste -s -d ,)" \
    "drop,mail"
is "the deploy stays live" "$(deploy "$n" state)" live
like "and says so" "$(deploy "$n" error)" \
    'contract \(drop\): interrupted, and retry = no'
begin "eleven again -tidy- -mail-"
kill_runner
recover "the runner was killed when a step of finish had failed"
is "nor is one that failed" "$(trace | grep -c ^tidy)" 1
like "which is still told" "$(deploy "$n" error)" 'contract \(tidy\): exit 4'
begin "eleven for the last time -mail-"
kill_runner
for i in 2 3; do
	watch "$slipway" runner -C "$repo" -e production
	kill_runner
done
recover "the runner was killed three times in finish"
is "the third time is enough there, too" "$(deploy "$n" error)" \
    "notify (mail): interrupted; that makes 3 times in this deploy"

# An agent.
begin "twelve -gate-"
# shellcheck disable=SC2046
kill -9 $(program agent)
ok "the push ends when an agent was killed in prepare" \
    wait_for 15 ended "$pid"
check_invariants "after an agent was killed in prepare"
is "the deploy has failed" "$(deploy "$n" state)" failed
like "and says why" "$(cat "$T/watch.out")" 'agent ended \(killed by signal 9'
begin "thirteen -schema-"
# shellcheck disable=SC2046
kill -9 $(program agent)
touch "$T/go"
ok "the push ends when an agent was killed in a migration" \
    wait_for 15 ended "$pid"
check_invariants "after an agent was killed in a migration"
is "the deploy was picked up" "$(steps)" \
    "schema interrupted,schema done,restart done"
like "and the one who pushed sees the end" "$(cat "$T/watch.out")" \
    'release [0-9]+ is live'

# A rollback.
push_file version fourteen "fourteen -slow-"
watch "$slipway" rollback -C "$repo"
kill_runner
recover "the runner was killed in a rollback"
is "it is resumed" "$(deploy "$n" state)" live
is "the release before is live" "$(live_file version)" "thirteen -schema-"
is "the undo was run again" "$(trace | paste -s -d ,)" \
    "undo,undo,restart thirteen -schema-"
push_file version fifteen "fifteen"
touch "$T/no"
slip rollback
is "after its flip a rollback stays" "$(live_file version)" \
    "thirteen -schema-"
is "it is live" "$(newest state)" live
like "with a warning" "$out$err" 'warning: restart \(restart\): exit 1'
rm "$T/no"
git -C "$work" reset -q --hard "$(git -C "$repo" rev-parse refs/live/production)"
push_file version sixteen "sixteen" --force main
touch "$T/hold-signal"
watch "$slipway" rollback -C "$repo"
kill_runner
recover "the runner was killed in a step of a rollback with retry = no"
is "which is not run a second time either" "$(trace | grep -c ^signal)" 1
is "the rollback stays live" "$(deploy "$n" state)" live
like "and says so, too" "$(deploy "$n" error)" \
    'clear \(signal\): interrupted, and retry = no'
rm "$T/hold-signal"

# What it needs is lost meanwhile.
begin_again() {
	git -C "$work" reset -q --hard \
	    "$(git -C "$repo" rev-parse refs/live/production)"
	push_file version "$1" "$1" --force main
	is "$2 blocks nothing" "$(live_file version)" "$1"
}
begin_again "seventeen -slow-" "so far nothing"
watch "$slipway" rollback -C "$repo"
kill_runner
rm -rf "$root/releases/$(deploy "$n" release)"
recover "the release that a rollback goes to was lost"
is "the rollback is broken" "$(deploy "$n" state)" broken
like "and says why" "$(deploy "$n" error)" \
    '^there is no release .*; broken: nothing was flipped'
like "an undo that was interrupted has failed" \
    "$("$slipway" show -C "$repo" "$n")" '^  migrations +ran, not undone$'
begin_again eighteen "a broken rollback"
begin "nineteen -mail-"
kill_runner
rm -rf "$root/releases/$(current)"
touch "$T/go"
run "$slipway" runner -C "$repo" -e production
is_exit "the next runner ends a deploy whose release was lost" 0
isnt "which has an end" "$(deploy "$n" finished_at)" null
is "and is live" "$(deploy "$n" state)" live
like "with a reason" "$(deploy "$n" error)" '^there is no release'
begin_again twenty "a live deploy without its release"
done_testing
