#!/bin/sh
# What people and disks do to a site: folders and files that are gone, links
# that are no links, a journal that somebody holds.

. "$(dirname "$0")/../lib.sh"

make_site
push_file version one "one"

# Who needs room is told that these may go.
rm -r "$repo/slipway/log" "$repo/slipway/backup"
ln -s releases/none "$root/.current.1.tmp"
push_file version two "two"
is "a push without the folders for logs and backups is live" \
    "$(live_file version)" two
unlike "and misses nothing" "$banner" 'error|warning|failed'
not_ok "what a flip that was killed has left is swept" \
    test -L "$root/.current.1.tmp"
ok "the log is there again" test -s "$repo/slipway/log/2.jsonl"
rm -r "$repo/slipway/log"
: > "$repo/slipway/log"
push_file version three "three"
is "where there is no folder for logs, a runner starts all the same" \
    "$(live_file version)" three
rm "$repo/slipway/log"

# Somebody has the journal open in a shell when a command ends.
config_trace <<EOF
[action schema]
phase = migrate
directive = schema
run = echo run >> "\$TRACE"; touch $T/ready; until test -e $T/go; do sleep 0.05; done
undo = true

[action fixed]
phase = verify
directive = fixed
run = chattr +i . && exit 1

[action gate]
phase = build
directive = gate
run = touch $T/ready; until test -e $T/go; do sleep 0.05; done
EOF
hold() {
	{
		echo 'BEGIN IMMEDIATE; SELECT 1;'
		until test -e "$T/free"; do sleep 0.05; done
	} | sqlite3 "$repo/slipway/journal.db" > "$T/held" 2>&1
}
commit version four "four -schema-"
git -C "$work" push -q production main > "$T/push.out" 2>&1 &
pid=$!
started "$pid"
ok "a command is at work" wait_for 15 test -e "$T/ready"
hold &
started "$!"
ok "the journal is locked" wait_for 15 test -s "$T/held"
touch "$T/go"
ok "SQLite gives up after its 30 seconds" wait_for 45 grep -q waits \
    "$repo/slipway/log/4.jsonl"
touch "$T/free"
wait "$pid"
check_invariants "after the journal was locked for long"
is "the deploy goes on" "$(newest state)" live
is "and the command was run once" "$(trace)" run

# killed_push CONTENT MESSAGE: everybody dies in its command.
killed_push() {
	rm -f "$T/ready" "$T/go"
	commit version "$1" "$2"
	setsid git -C "$work" push -q production main > "$T/push.out" 2>&1 &
	pid=$!
	started "$pid"
	ok "a command is at work" wait_for 15 test -e "$T/ready"
	kill -9 "-$pid"
	# shellcheck disable=SC2046 # one word a process
	kill -9 $(slipway_processes)
	wait_for 15 idle || diag "something is left: $(slipway_processes)"
}

# An environment that is not in the config any more.
killed_push five "five -schema-"
sed -i 's/^\[environment production/&2/' "$repo/slipway.ini"
run "$slipway" status -C "$repo"
is_exit "a deploy that was begun where nobody looks" 1
like "is told of" "$out" "left +deploy 5 is activating in the environment production,\
 which slipway.ini does not have any more; put it back"
is "below the repository" "$(printf '%s\n' "$out" | grep -B 1 '^  left' |
    head -n 1)" "repository: $repo"
run "$slipway" resume -C "$repo"
is_exit "and is not finished in silence" 1
like "nor told of by status alone" "$err" 'deploy 5 is activating'
sed -i 's/^\[environment production2/[environment production/' \
    "$repo/slipway.ini"
touch "$T/go"
slip resume
is_exit "put back, it is finished" 0
is "and live" "$(live_file version)" five

# A web server that runs as somebody else has written into a release. A file
# that nobody may remove stands for its files.
theirs=$root/.slipway/trash/theirs/file
mkdir -p "$root/.slipway/trash/theirs"
: > "$theirs"
trap 'chattr -i "$theirs" "$root"/releases/2*/ 2> /dev/null; _end' EXIT
if chattr +i "$theirs" 2> /dev/null; then
	killed_push six "six -gate-"
	chattr +i "$root/releases/$(newest release)"
	touch "$T/go"
	run "$slipway" resume -C "$repo"
	like "a file that cannot be removed does not keep a deploy from being\
 given up" "$(newest error)" 'interrupted while it was preparing'
	run "$slipway" retry -C "$repo"
	is_exit "nor the next from going live" 0
	like "it is told of" "$out" "trash stays: remove .*theirs/file: .*;\
 remove it as the user who has made it"
	unlike "as no failure" "$out" "cleanup +failed"
	failed=$(deploy "$(($(newest deploy) - 1))" release)
	like "so is its release, which cannot be moved" "$out" \
	    "warning: set $failed aside: Operation not permitted"
	commit version seven "seven -fixed-"
	push_raw
	is "nor does one block the next that fails late" "$(newest state)" \
	    rolled-back
	like "which is told, and when that is tried again" "$banner" \
	    "warning: set $(newest release) aside: .*; the next cleanup tries"
	is "and it has an end" "$(deploy "$(newest deploy)" finished_at |
	    grep -c 20)" 1
	chattr -i "$theirs" "$root"/releases/2*/
	slip cleanup
	not_ok "the next cleanup moves it" test -e "$root/releases/$failed"
	not_ok "and the other" test -e "$root/releases/$(newest release)"
	git -C "$work" reset -q --hard HEAD~1
	push --force main
fi
trap _end EXIT
slip deploy

# A root in which no symlink can be made: nothing has to be flipped back.
trap 'chattr -i "$root" 2> /dev/null; _end' EXIT
if chattr +i "$root" 2> /dev/null; then
	was=$(current)
	run "$slipway" deploy -C "$repo"
	is_exit "a deploy that cannot flip" 5
	is "has changed nothing, and is not broken" "$(newest state)" \
	    rolled-back
	is "what was live is live" "$(current)" "$was"
	like "it says where it could not" "$(newest error)" \
	    "^symlink: $root: symlink .current"
	chattr -i "$root"
fi
trap _end EXIT

# What is gone, or in the way, is told with what to do.
rm "$root/current"
mkdir "$root/current"
run "$slipway" status -C "$repo"
is_exit "a folder in place of current" 1
like "is in the way" "$out" "but +$root/current is not a symlink; move it away"
rmdir "$root/current"
run "$slipway" deploy -C "$repo"
slip deploy
previous=$(newest previous)
rm "$root/.slipway/manifest/$previous"
slip rollback
like "a manifest that is gone" "$err$out" \
    "manifest $previous: there is no manifest of it .* deploy its commit again"
rm -r "$root/releases/$previous"
slip rollback
like "a release that is gone" "$err$out" \
    "no release $previous in $root/releases: was it removed by hand"

done_testing
