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

done_testing
