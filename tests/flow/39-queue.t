#!/bin/sh
# Many who want something at once: each is told what it waits for and what
# became of it, and all of them together cost one more deploy.

. "$(dirname "$0")/../lib.sh"

hold="touch $T/ready; until test -e $T/go; do sleep 0.05; done"

make_site
{
	cat <<EOF
env.TRACE = $T/trace

[environment staging]
branch = develop
root = $T/staging

[action gate]
phase = build
directive = gate
run = $hold

[action data]
phase = migrate
directive = data
run = $hold

[action back]
phase = restart
run = test ! -e $T/slow || { $hold; }

[action meet]
phase = build
directive = meet
run = touch $T/at.\$SLIPWAY_ENVIRONMENT; until test -e $T/at.production && test -e $T/at.staging; do sleep 0.05; done
EOF
	for i in 1 2 3 4 5 6 7 8 9 10; do
		printf '\n[action a%s]\nphase = bundle\ndirective = a%s\n' \
		    "$i" "$i"
		echo "run = echo a$i \$SLIPWAY_ARGUMENT >> \"\$TRACE\""
	done
} | config
run "$slipway" init "$repo"
add_site staging "$T/staging"

# clear: the gate is closed again.
clear_gate() {
	rm -f "$T/ready" "$T/go"
	: > "$T/trace"
}

# later NAME COMMAND...: its output is in $T/NAME.
later() {
	_name=$1
	shift
	"$@" > "$T/$_name" 2>&1 < /dev/null &
	pid=$!
	started "$pid"
}

waits() {
	[ "$(sql "SELECT count(*) FROM deploys WHERE state = 'queued'")" = "$1" ]
}

says() {
	grep -q -e "$2" "$T/$1"
}

# begin MESSAGE: a push that is held at its gate.
begin() {
	clear_gate
	commit version "$1" "$1"
	later first git -C "$work" push production main
	first=$pid
	wait_for 15 test -e "$T/ready" || diag "no gate" "$(cat "$T/first")"
	n=$(newest deploy)
}

push_file version zero zero

# Ten pushes during one deploy.
begin "one -gate-"
pids=
for i in 1 2 3 4 5 6 7 8 9 10; do
	commit version "ten $i" "push $i -a$i-"
	later "push.$i" git -C "$work" push -o "a1:from$i" production main
	pids="$pids $pid"
	wait_for 15 waits "$i" || diag "push $i does not wait"
done
wait_for 15 says push.10 ' 9 before it' || diag "push 10 is not told"
like "the first who waits knows what for" "$(cat "$T/push.1")" \
    "deploy $((n + 1)) waits: deploy $n is under way \(build\) *$"
like "the last one, too, and for how many more" "$(cat "$T/push.10")" \
    "deploy $((n + 10)) waits: deploy $n is under way \(build\), 9 before"
run "$slipway" status -C "$repo" -e production
like "the status tells what is under way" "$out" "under way +deploy $n "
is "and the whole queue" "$(printf '%s\n' "$out" | grep -c '  waiting ')" 10
touch "$T/go"
for p in $first $pids; do
	wait_for 30 ended "$p"
done
check_invariants "after ten pushes during a deploy"
is "they cost one deploy" "$(sql "SELECT count(*) FROM deploys
    WHERE number > $n AND started_at > 0")" 1
is "which is the newest" "$(deploy $((n + 10)) state)" live
is "in the place of nine" "$(deploy $((n + 10)) superseded | tr , '\n' |
    grep -c .)" 9
is "all that their commits ask for has run" \
    "$(trace | cut -d' ' -f1 | sort -V | paste -s -d ' ')" \
    "a1 a2 a3 a4 a5 a6 a7 a8 a9 a10"
is "once, with all that their options ask for" \
    "$(trace | grep '^a1 ' | tr ' ' '\n' | grep -c '^from')" 10
for i in 1 9; do
	like "push $i hears where its commit is" "$(cat "$T/push.$i")" \
	    "deploy $((n + i)): superseded, your commit is in deploy $((n + 10))"
	like "and how that ended" "$(cat "$T/push.$i")" \
	    "production: release $(current) is live"
	is "once" "$(grep -c 'is live' "$T/push.$i")" 1
done
like "who waited heard when the activation began" "$(cat "$T/push.1")" \
    "waits: deploy $n is under way \(activating\)"

# Forced pushes: the commit of the one that waited is nowhere.
begin "two -gate-"
commit version lost "lost"
later lost git -C "$work" push production main
lost=$pid
wait_for 15 waits 1
git -C "$work" reset -q --hard HEAD~1
commit version kept "kept"
later kept git -C "$work" push --force production main
wait_for 15 waits 2
touch "$T/go"
wait_for 15 ended "$lost"
wait_for 15 ended "$pid"
check_invariants "after a forced push"
like "it is not told that its commit is there" "$(cat "$T/lost")" \
    "deploy $((n + 1)): superseded, deploy $((n + 2)) took its place; your commit $(head_of "HEAD@{2}" | cut -c 1-7) is not in it"
is "and it is not" "$(live_file version)" kept
again=$(sed -n 's/^remote:   to deploy it  \(on the server: \)\{0,1\}slipway //p' \
    "$T/lost")
# shellcheck disable=SC2086 # the words of a command
run "$slipway" $again
is "what it is told to type deploys it" "$(live_file version)" lost
slip deploy -e production
is "and the branch comes back" "$(live_file version)" kept

# The exit status of who was superseded is that of what took its place, if
# that contains what was asked for. A tag object is asked for by its commit.
begin "three -gate-"
git -C "$work" tag -a -m "version 3" v3 HEAD~1
later lost "$slipway" deploy -C "$repo" -e production main
lost=$pid
wait_for 15 waits 1
later tag git -C "$work" push production v3:refs/deploy/production/now
tag=$pid
wait_for 15 waits 2
later cli "$slipway" deploy -C "$repo" -e production HEAD~1
cli=$pid
wait_for 15 waits 3
later last "$slipway" deploy -C "$repo" -e production -d a2 HEAD~1
last=$pid
wait_for 15 waits 4
touch "$T/go"
wait "$cli"
is "a good end is one for who was superseded" $? 0
wait "$last"
is "as for the one in whose place it was" $? 0
wait "$tag"
is "and for who pushed a tag of that commit" $? 0
wait "$lost"
is "not for whose commit is not in it" $? 1
lost=$(git -C "$work" rev-parse --short=7 main)
like "who is told what to do" "$(cat "$T/lost")" \
    "^slipway: deploy $((n + 4)) took the place of $((n + 1)) and does not contain $lost; to have that live instead: slipway deploy -C $repo -e production $lost$"
like "in the lines of the deploy, too" "$(cat "$T/lost")" \
    "; your commit $lost is not in it$"
like "the status does not take that for its commit" \
    "$("$slipway" status -C "$repo" -e production)" \
    "not live +main is at $lost \(deploy $((n + 1)), superseded by deploy $((n + 4)) of $(head_of HEAD~1 | cut -c 1-7), live\); "
check_invariants "after requests by hand"
sed -i 's/^run = echo a2 .*/run = exit 7/' "$repo/slipway.ini"
begin "four -gate-"
later cli "$slipway" deploy -C "$repo" -e production
cli=$pid
wait_for 15 waits 1
later bad "$slipway" deploy -C "$repo" -e production -d a2
bad=$pid
wait_for 15 waits 2
touch "$T/go"
wait "$cli"
is "so is a bad one" $? 1
like "and it reads why" "$(cat "$T/cli")" \
    "error: deploy $((n + 2)) failed at bundle \(a2\): exit 7"
wait "$bad"
check_invariants "after a request that failed"
sed -i 's/^run = exit 7$/run = true/' "$repo/slipway.ini"

# Behind a rollback, which goes first.
begin "five -gate-"
touch "$T/slow"
later back "$slipway" rollback -C "$repo" -e production
back=$pid
wait_for 15 waits 1
commit version six six
later six git -C "$work" push production main
six=$pid
wait_for 15 waits 2
ok "two are ahead" wait_for 10 says six "is under way (build), 1 before it"
rm -f "$T/ready"
touch "$T/go"
ok "a line tells when that has changed" wait_for 15 says six \
    "waits: deploy $((n + 1)) is under way"
rm "$T/slow"
wait_for 15 ended "$back"
wait_for 15 ended "$six"
check_invariants "after a rollback and a push behind it"
is "the push is live" "$(live_file version)" six

# Who waits behind one that is cancelled moves up.
begin "seven -gate-"
later eight "$slipway" deploy -C "$repo" -e production
eight=$pid
wait_for 15 waits 1
later nine "$slipway" deploy -C "$repo" -e production
nine=$pid
ok "one is before it" wait_for 15 says nine 'under way (build), 1 before'
run "$slipway" cancel -C "$repo" $((n + 1))
is_exit "that is cancelled" 0
ok "now none is" wait_for 15 says nine 'under way (build)$'
wait "$eight"
is "who was cancelled hears it" $? 1
touch "$T/go"
wait "$nine"
is "who was not is live" $? 0
wait_for 15 ended "$first"
check_invariants "after one that waited was cancelled"

# What is live is pushed while something else is about to replace it.
live=$(git -C "$repo" rev-parse refs/live/production)
begin "ten -gate-"
commit version eleven eleven
later eleven git -C "$work" push production main
eleven=$pid
wait_for 15 waits 1
run "$slipway" cancel -C "$repo" $((n + 1))
is_exit "the newest is cancelled" 0
later back git -C "$work" push --force production "$live:main"
wait_for 15 waits 1 || diag "$(cat "$T/back")"
touch "$T/go"
wait_for 15 ended "$pid"
wait_for 15 ended "$first"
wait_for 15 ended "$eleven"
wait_for 15 idle
check_invariants "after a push of what was live"
unlike "it is not told that it is live" "$(cat "$T/back")" 'live already'
is "it is deployed again" "$(git -C "$repo" rev-parse refs/live/production)" \
    "$live"

# Two environments: each waits for the other to be under way, too.
git -C "$work" checkout -q -b develop
commit version meet "meet -meet-"
later develop git -C "$work" push production develop
develop=$pid
git -C "$work" checkout -q main
git -C "$work" merge -q develop
later main git -C "$work" push production main
wait_for 20 ended "$pid"
wait_for 20 ended "$develop"
check_invariants "after two environments at once"
is "both are live" "$(sql "SELECT count(*) FROM deploys
    WHERE state = 'live' AND subject = 'meet -meet-'")" 2

# A push of another ref has come while the gate of this one was slow.
sed -i "s|^branch = main\$|branch = main release/*|
    s|^root = $root\$|&\ngate = test ! -e hot \|\| { $hold; }|" \
    "$repo/slipway.ini"
clear_gate
git -C "$work" checkout -q -b release/1
commit released one "a release"
git -C "$work" checkout -q main
commit hot one "a hotfix"
later hotfix git -C "$work" push production main
hotfix=$pid
wait_for 15 test -e "$T/ready" || diag "no gate" "$(cat "$T/hotfix")"
push_raw release/1
is_exit "the other one does not wait for it" 0
n=$(newest deploy -e production)
touch "$T/go"
wait "$hotfix"
check_invariants "after a push that came too late"
like "it is not told that its commit is live" "$(cat "$T/hotfix")" \
    "deploy $((n + 1)): superseded, deploy $n took its place"
is "and it is not" "$(git -C "$repo" rev-parse refs/live/production)" \
    "$(head_of release/1)"

# The same, and the commit of the one in whose place it is has been lost.
clear_gate
commit hot two "another hotfix"
later hotfix git -C "$work" push production main
hotfix=$pid
wait_for 15 test -e "$T/ready" || diag "no gate" "$(cat "$T/hotfix")"
git -C "$work" checkout -q release/1
commit released two "another release"
git -C "$work" checkout -q main
push_raw release/1
n=$(newest deploy -e production)
wait_for 15 idle
released=$(head_of release/1 | sed "s|^..|$repo/objects/&/|")
mv "$released" "$T/released"
touch "$T/go"
wait "$hotfix"
wait_for 15 idle
mv "$T/released" "$released"
check_invariants "after what cannot be compared"
like "it hears what took its place" "$(cat "$T/hotfix")" \
    "deploy $((n + 1)): superseded, deploy $n took its place *$"
unlike "and no more" "$(cat "$T/hotfix")" 'there is no|not in it'
done_testing
