#!/bin/sh
# The hooks only watch: whatever happens to them and to the client, the
# deploy goes on.

. "$(dirname "$0")/../lib.sh"

make_site
config_trace <<EOF
[action gate]
phase = build
directive = gate
run = echo ready; touch $T/ready; until test -e $T/go; do sleep 0.05; done; echo built

[action gate2]
phase = migrate
directive = gate2
run = echo "migrating" >> "\$TRACE"; touch $T/ready; until test -e $T/go; do sleep 0.05; done; echo migrated

[action noisy]
phase = build
directive = noisy
run = touch $T/ready; head -c 3000000 /dev/zero | tr '\\\\0' x | fold -w 100
EOF
push_file index.html one "first"

# begin MESSAGE: a push in the background that reaches its gate.
begin() {
	rm -f "$T/ready" "$T/go"
	commit index.html "$1" "$1"
	# In a session of its own, as an ssh connection would be.
	setsid git -C "$work" push production main \
	    > "$T/push.out" 2>&1 < /dev/null &
	pid=$!
	started "$pid"
	wait_for 15 test -e "$T/ready" || diag "the gate was not reached"
}

# Processes of this push whose name matches, by pid.
of_push() {
	for proc in /proc/[0-9]*; do
		name=$(cat "$proc/cmdline" 2>/dev/null | tr '\0' ' ')
		case $name in
		*"$1"*) ;;
		*) continue ;;
		esac
		case $(readlink "$proc/cwd") in
		"$repo"|"$work") echo "${proc#/proc/}" ;;
		esac
	done
}

finish() {
	touch "$T/go"
	ok "$1: the deploy goes on and ends" wait_for 20 idle
	check_invariants "after $1"
}

begin "second -gate-"
hook=$(of_push hooks/post-receive)
isnt "the hook is there" "$hook" ""
# shellcheck disable=SC2086 # one or more pids
kill -9 $hook
finish "kill -9 of the hook"
is "and its release is live" "$(live_file index.html)" "second -gate-"

begin "third -gate-"
receive=$(of_push receive-pack)
isnt "git receive-pack is there" "$receive" ""
# shellcheck disable=SC2046,SC2086
kill -9 $receive $(of_push hooks/post-receive)
finish "kill -9 of git receive-pack"
is "and its release is live" "$(live_file index.html)" "third -gate-"
ok "the client ends, too" wait_for 10 ended "$pid"

begin "fourth -gate-"
kill -INT "-$pid"
finish "Ctrl-C at the client"
is "and its release is live" "$(live_file index.html)" "fourth -gate-"
wait_for 10 ended "$pid"

begin "fifth -gate2-"
kill -9 "-$pid"
finish "kill -9 of the whole client in activation"
is "and its release is live" "$(live_file index.html)" "fifth -gate2-"
wait_for 10 ended "$pid"

# A client that is there and does not read.
rm -f "$T/ready"
commit index.html six "sixth -noisy-"
mkfifo "$T/fifo"
sleep 100 > "$T/fifo" &
writer=$!
# shellcheck disable=SC2217
sleep 100 < "$T/fifo" &
reader=$!
started "$writer" "$reader"
git -C "$work" push production main > "$T/fifo" 2>&1 < /dev/null &
pid=$!
started "$pid"
ok "a client that does not read: the deploy begins" \
    wait_for 15 test -e "$T/ready"
live_is_six() {
	[ "$(live_file index.html)" = six ]
}
ok "and ends" wait_for 20 live_is_six
ok "the runner holds nothing" wait_for 10 _lock_free \
    "$repo/slipway/production.lock"
hookless() {
	[ -z "$(of_push hooks/post-receive)$(of_push hooks/post-update)" ]
}
ok "and the hooks leave in time" wait_for 15 hookless
kill "$reader" "$writer"
wait_for 10 ended "$pid" || kill -9 "$pid"
check_invariants "after a client that did not read"

# Pushes that come during a deploy: the newest is deployed, once.
begin "tenth -gate-"
for i in 11 12 13; do
	commit index.html "$i" "number $i"
	git -C "$work" push -q production main > "$T/push.$i" 2>&1 &
	pids="${pids-} $!"
	started "$!"
	wait_for 10 sh -c "[ \"\$(git -C $repo rev-parse main)\" = \
	    $(head_of) ]"
	# Its request must be in the journal before the next push.
	tip=$(head_of)
	wait_for 10 sh -c "sqlite3 $repo/slipway/journal.db \
	    \"SELECT number FROM deploys WHERE commit_oid = '$tip'\" |
	    grep -q ."
done
touch "$T/go"
ok "they all come to an end" wait_for 30 idle
# shellcheck disable=SC2086
for p in $pid $pids; do
	wait_for 10 ended "$p"
done
check_invariants "after pushes during a deploy"
is "the newest is live" "$(live_file index.html)" 13
last=$(newest deploy)
is "it superseded the two before" "$(deploy "$last" superseded)" \
    "[$((last - 2)),$((last - 1))]"
is "and they say so" "$(deploy $((last - 1)) state)" superseded
like "every pusher hears the end" "$(cat "$T/push.11" "$T/push.12")" \
    'is live'

# post-receive is killed before it has asked for anything.
mv "$repo/hooks/post-receive" "$T/post-receive"
printf '#!/bin/sh\nkill -9 $$\n' > "$repo/hooks/post-receive"
chmod +x "$repo/hooks/post-receive"
push_file index.html missed "missed by post-receive"
mv "$T/post-receive" "$repo/hooks/post-receive"
is "what post-receive could not do, post-update did" \
    "$(live_file index.html)" missed
like "and said so" "$banner" 'post-receive did not come to its end'
is "the push has landed" "$(sql "SELECT count(*) FROM pushes
    WHERE state = 'received'")" 0

# late REF: a push of it whose post-receive waits for $T/late; $pid.
late() {
	rm -f "$T/late"
	mv "$repo/hooks/post-receive" "$T/post-receive"
	{
		echo '#!/bin/sh'
		echo "until test -e $T/late; do sleep 0.05; done"
		echo "exec $T/post-receive"
	} > "$repo/hooks/post-receive"
	chmod +x "$repo/hooks/post-receive"
	git -C "$work" push --force production "$1" > "$T/late.out" 2>&1 &
	pid=$!
	started $pid
	ok "$1 moves" wait_for 10 sh -c "[ \"\$(git -C $repo rev-parse $1)\" \
	    = $(git -C "$work" rev-parse "$1") ]"
	cp -P "$T/post-receive" "$repo/hooks/new"
	mv "$repo/hooks/new" "$repo/hooks/post-receive"
}

# go WHAT: the late one asks for its deploy.
go() {
	touch "$T/late"
	wait_for 10 ended $pid
	ok "all come to an end" wait_for 30 idle
	check_invariants "after $1"
}

newest_is() {
	is "the late one is $1" "$(deploy "$(newest deploy)" state)" "$1"
}

# post-receive of a newer commit is late, and what is live is pushed again.
commit index.html late "late"
late main
git -C "$work" reset -q --hard HEAD~1
git -C "$work" push --force production main > "$T/again.out" 2>&1
unlike "what is live may not stay so" "$(cat "$T/again.out")" 'live already'
go "a late post-receive"
is "the branch is what is live" "$(live_file index.html)" missed
newest_is superseded

# Of several refs that are deployed the newest push is live; of a tag that was
# moved, too.
sed -i 's,^branch = main$,branch = main release/*\ntags = rel*,' \
    "$repo/slipway.ini"
commit index.html slow "slow"
late main
git -C "$work" checkout -q -b release/4
push_file index.html four "four" release/4
is "a push to another branch is live" "$(live_file index.html)" four
go "a late push to the first one"
is "it stays so" "$(live_file index.html)" four
newest_is superseded
commit index.html five "five"
git -C "$work" tag -a -m one rel
late rel
commit index.html six "six"
git -C "$work" tag -f -a -m two rel > /dev/null
push --force rel
is "a tag that was moved is live" "$(live_file index.html)" six
go "a late push of what it was"
is "it stays there" "$(live_file index.html)" six
newest_is superseded
commit index.html seven "seven"
late release/4
push --force "rel^{}:main"
unlike "what is live is not so for sure" "$banner" 'live already'
go "a late push to another branch"
is "the newest is live" "$(live_file index.html)" six

# One that failed is in nobody's way.
commit index.html eight "eight"
late release/4
printf '\n[action bad]\nphase = build\ndirective = bad\nrun = exit 7\n' \
    >> "$repo/slipway.ini"
commit index.html bad "bad -bad-"
push_raw HEAD:refs/heads/release/5
like "a newer one fails" "$banner" 'failed at build'
go "one that is late then"
is "is live" "$(live_file index.html)" eight
done_testing
