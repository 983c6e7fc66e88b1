#!/bin/sh
# What people and disks do to a site: folders and files that are gone, links
# that are no links, a journal that somebody holds.

. "$(dirname "$0")/../lib.sh"

make_site
push_file version one "one"

# Who needs room is told that these may go.
rm -r "$repo/slipway/log" "$repo/slipway/backup"
push_file version two "two"
is "a push without the folders for logs and backups is live" \
    "$(live_file version)" two
unlike "and misses nothing" "$banner" 'error|warning|failed'
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

done_testing
