#!/bin/sh
# Edits that are made while a deploy or a rollback is at work are not lost,
# and what is no edit is in nobody's way.

. "$(dirname "$0")/../lib.sh"

drift() {
	run "$slipway" drift -C "$repo" "$@"
}

branch=drift/production/$(date -u +%Y-%m-%d)

kept() {
	git -C "$repo" cat-file blob "$branch${2-}:$1" 2>/dev/null
	git -C "$repo" update-ref -d "refs/heads/$branch${2-}"
}

# An editor puts another file under the same name.
edit() {
	echo "$2" > "$T/edit"
	mv "$T/edit" "$root/current/$1"
}

make_site
config <<EOF
[action gate]
phase = migrate
directive = gate
run = touch "$T/ready"; until test -e "$T/go"; do sleep 0.05; done
undo = touch "$T/undoes"; sleep 1.2; until test -e "$T/undo"; do sleep 0.05; done
EOF
put g "one"
commit index.html "one" "first"
push
is_exit "the site is deployed" 0

# The runner that had looked is dead.
commit index.html "two" "second -gate-"
push_raw > /dev/null 2>&1 &
pusher=$!
ok "a deploy is at work" wait_for 20 test -e "$T/ready"
for pid in $(program runner); do
	kill -9 "$pid"
done
edit g "precious"
touch "$T/go"
wait "$pusher"
slip resume
is_exit "it is resumed" 0
is "what was edited before its flip is kept" "$(kept g)" "precious"

# The undo commands of a rollback take long.
"$slipway" rollback -y -C "$repo" > "$T/rolled" 2>&1 &
rollback=$!
ok "a rollback is at work" wait_for 20 test -e "$T/undoes"
edit g "dear"
touch "$T/undo"
wait "$rollback"
like "what was edited before its flip is told" "$(cat "$T/rolled")" \
    "edited by hand: g modified; kept on branch $branch-2"
is "and kept" "$(kept g -2)" "dear"
is "so is what was edited in the release that it goes back to" "$(kept g)" \
    "precious"
wait_for 10 idle

# A command writes into a file that the live release has, too, and somebody
# has replaced it there.
config <<EOF
store = link

[action append]
phase = build
directive = append
run = mv "$T/edit" "$root/current/g" && echo more >> g && echo more >> h

[action make]
phase = build
run = mkdir -p var/cache var/run
EOF
built="var"
put h "one"
push_file index.html "three" "third"
was=$root/current
was=$root/releases/$(readlink "$was" | sed 's,.*/,,')
echo "mine" > "$T/edit"
built="var g h"
extras=yes
push_file index.html "four" "fourth -append-"
is_exit "a deploy that writes into files of the live release" 0
is "leaves what was put into their place there" "$(cat "$was/g")" "mine"
is "and puts right what was written into" "$(cat "$was/h")" "one"
like "which alone is told" "$banner" "warning: h was written into"
unlike "as that" "$banner" "with others"
git -C "$repo" update-ref -d "refs/heads/$branch"

# Folders that a command made.
live=$root/current
echo "new" > "$live/var/cache/new"
drift --repair
is_exit "a file that was added to a folder that a command made" 0
ok "goes, and not its folder" test -d "$live/var/cache"

# What no commit can hold.
config <<EOF
drift = refuse
EOF
mkdir "$live/empty"
mkfifo "$live/pipe"
echo "x" > "$live/a\\.git"
built=
commit index.html "five" "fifth"
push_raw
is_exit "an empty folder, a pipe and an odd name refuse no deploy" 0
like "and are told" "$banner" "3 of that no commit can hold"
is "it is live" "$(live_file index.html)" "five"
mkdir "$root/current/empty"
run "$slipway" plan -C "$repo"
is_exit "nor does a plan say so" 0
done_testing
