#!/bin/sh
# What a command has started does not outlive it when the command fails or
# is killed, nor when its agent is: a step that is run again or undone never
# meets the first attempt still at work.

. "$(dirname "$0")/../lib.sh"

make_site
config_trace <<EOF
[action schema]
phase = migrate
directive = schema
run = sh -c 'echo \$\$ > $T/inner; touch $T/ready; until test -e $T/go; do sleep 0.05; done; echo migrated >> "\$TRACE"'; true
undo = true

[action hidden]
phase = migrate
directive = hidden
run = env -i sh -c 'echo \$\$ > $T/inner; touch $T/ready; until test -e $T/go; do sleep 0.05; done; echo migrated >> $T/trace'; true

[action apart]
phase = migrate
directive = apart
run = setsid -w env -i sh -c 'echo \$\$ > $T/inner; touch $T/ready; until test -e $T/go; do sleep 0.05; done; echo migrated >> $T/trace'; true

[action site]
phase = migrate
directive = site
run = test -e $T/site || setsid sh -c 'echo \$\$ > $T/site; exec sleep 1000' > /dev/null 2>&1 & until test -e $T/site; do sleep 0.05; done; echo \$\$ > $T/inner; touch $T/ready; until test -e $T/go; do sleep 0.05; done; echo migrated >> "\$TRACE"

[action told]
phase = migrate
directive = told
record = cat $T/told; ! test -e $T/kill || { rm $T/kill; kill -9 \$PPID; }
run = echo told >> "\$TRACE"; cat version > $T/told; test ! -e $T/last || touch $T/kill
undo = echo undo >> "\$TRACE"; cp "\$SLIPWAY_RECORD" $T/told

[action once]
phase = migrate
directive = once
retry = no
record = ! test -e $T/next || { rm $T/next; kill -9 \$PPID; }
run = echo once >> "\$TRACE"
undo = echo never >> "\$TRACE"

[action fails]
phase = migrate
directive = fails
run = sh -c 'echo \$\$ > $T/inner; exec sleep 1000' & until test -s $T/inner; do sleep 0.05; done; exit 3

[action daemon]
phase = restart
directive = daemon
run = sh -c 'echo \$\$ > $T/daemon; exec sleep 1000' > /dev/null 2>&1 & until test -s $T/daemon; do sleep 0.05; done
EOF

begin() {
	rm -f "$T/ready" "$T/go" "$T/inner"
	: > "$T/trace"
	commit version "$1" "$1"
	git -C "$work" push --force production main > "$T/push.out" 2>&1 &
	pid=$!
	started "$pid"
	wait_for 15 test -e "$T/ready" ||
	    diag "the command did not start" "$(cat "$T/push.out")"
	inner=$(cat "$T/inner")
	started "$inner"
}

another() {
	[ "$inner" != "$(cat "$T/inner")" ]
}

push_file version one "one"

begin "two -schema-"
# shellcheck disable=SC2046 # one word a process
kill -9 $(program agent)
ok "the step begins again" wait_for 15 another
ok "when nothing of the first attempt is left" ended "$inner"
touch "$T/go"
wait "$pid"
check_invariants "after an agent was killed"
is "the migration came to its end once" "$(trace)" migrated
run "$slipway" show -C "$repo"
like "the log tells of it" "$out" \
    'warning: local: ended [0-9]+ process(es)? that an interrupted command'

begin "three -schema-"
# shellcheck disable=SC2046 # one word a process
kill -9 $(program runner) $(program agent)
ok "both killed: it begins again, too" wait_for 15 another
ok "when the first has gone" ended "$inner"
touch "$T/go"
wait "$pid"
check_invariants "after a runner and its agent were killed"
is "the migration came to its end once again" "$(trace)" migrated

# What it says of itself is not asked for.
for how in hidden apart; do
	begin "$how -$how-"
	# shellcheck disable=SC2046 # one word a process
	kill -9 $(program agent)
	ok "$how: the step begins again" wait_for 15 another
	ok "$how: when nothing of the first attempt is left" ended "$inner"
	touch "$T/go"
	wait "$pid"
	is "$how: it came to its end once" "$(trace)" migrated
done

begin "site -site-"
# shellcheck disable=SC2046 # one word a process
kill -9 $(program agent)
ok "a daemon is waited for, and not for ever" wait_for 30 another
ok "it lives" kill -0 "$(cat "$T/site")"
touch "$T/go"
wait "$pid"
is "the deploy goes on" "$(newest state)" live
run "$slipway" show -C "$repo"
like "and tells of it" "$out" "warning: local: process $(cat "$T/site") \
\(sleep\), which an interrupted command .* left alone"
kill "$(cat "$T/site")"

# A host that is lost when the command has told how it ended.
echo none > "$T/told"
: > "$T/trace"
touch "$T/last"
push_file version told "told -told-"
is "a step whose end was heard is not run again" "$(trace)" told
is "and the deploy goes on" "$(newest state)" live
rm "$T/last"

# The next step never began, and says retry = no: both are looked at.
: > "$T/trace"
touch "$T/next"
push_file version back "back -told- -once-"
is "it is taken back" "$(newest state)" rolled-back
is "with what was done before" "$(trace | paste -s -d ,)" told,undo
is "and only that" "$(cat "$T/told")" told

git -C "$work" reset -q --hard HEAD~1
rm -f "$T/inner"
push_file version four "four -fails-" --force main
is "a command fails" "$(newest state)" rolled-back
ok "what it had started is gone" ended "$(cat "$T/inner")"

git -C "$work" reset -q --hard HEAD~1
push_file version five "five -daemon-" --force main
ok "a daemon that a command leaves behind stays" \
    kill -0 "$(cat "$T/daemon")"
kill "$(cat "$T/daemon")"
is "its release stays live" "$(live_file version)" five

done_testing
