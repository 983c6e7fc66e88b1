#!/bin/sh
# What happened can be asked for, and cannot be changed unnoticed.

. "$(dirname "$0")/../lib.sh"

make_site
config <<'EOF'
[action cc]
phase = clear
directive = cc
run = echo cleared; sleep 0.2

[action fails]
phase = test
directive = fails
run = echo "the tests say no" >&2; exit 9
EOF
run "$slipway" log -C "$repo"
is_exit "log of nothing succeeds" 0
run "$slipway" log -C "$repo" --json
is "and is an empty array" "$(json length < "$T/.out")" 0
run "$slipway" status -C "$repo"
like "status says that nothing is live" "$out$err" '(nothing|no release|not)'

push_file index.html one "first"
one=$(current)
put index.html two
git -C "$work" commit -q --author "Bob <bob@example.org>" -m "second -cc-"
push
two=$(current)
push_file index.html three "third -fails-"
push_file index.html four "fourth"

# log
list() {
	"$slipway" log -C "$repo" --json "$@" | perl -MJSON::PP -0 -ne '
	    print join " ", map { $_->{deploy} } @{decode_json($_)}'
}
is "newest first" "$(list)" "4 3 2 1"
is "-n" "$(list -n 2)" "4 3"
is "--state failed" "$(list --state failed)" "4 3"
is "--state live" "$(list --state live)" "2"
is "--state retired" "$(list --state retired)" "1"
is "several with a comma" "$(list --state failed,live)" "4 3 2"
is "or one after the other" "$(list --state live --state retired)" "2 1"
is "--kind" "$(list --kind deploy -n 2)" "4 3"
is "none is a rollback yet" "$(list --kind rollback)" ""
is "--author" "$(list --author bob)" "2"
is "--environment" "$(list --environment production)" "4 3 2 1"
is "-e is short for it" "$(list -e production)" "4 3 2 1"
is "--since" "$(list --since "$(deploy 4 requested_at)")" "4"
is "--since is a time, not a day" "$(list --since "$(deploy 2 requested_at)")" \
    "4 3 2"
run "$slipway" log -C "$repo" --environment nowhere
isnt "an environment that is not there is an error" "$status" 0
run "$slipway" log -C "$repo" --state lively
is_exit "a state that is not there is a usage error" 2
like "with those that are" "$err" 'live'
run "$slipway" log -C "$repo" --state live,lively
is_exit "nor is it one among others" 2
run "$slipway" log -C "$repo" --state ,
is_exit "nor is none" 2
run "$slipway" log -C "$repo" --kind promote
is_exit "a kind that is not there is a usage error" 2
run "$slipway" log -C /nonexistent
is_exit "so is a folder that is not there" 2
is "in words" "$err" "slipway: there is no folder /nonexistent; name the \
bare repository with -C DIR"
run "$slipway" log -C /
is_exit "and one that is no repository" 2
like "in words as well" "$err" '^slipway: / has no slipway.ini; name the bare'
run "$slipway" log -C "$repo" --kind rollback
is_exit "nothing that matches" 0
like "is told" "$err" 'there is no such deploy'
is "without the head of a table" "$out" ""
run "$slipway" log --help
for state in queued preparing prepared activating live retired failed \
    rolled-back broken superseded cancelled; do
	like "--help names $state" "$out" "[ (,]$state"
done
run "$slipway" log -C "$repo" -n x
is_exit "a number that is none is a usage error" 2
run "$slipway" log -C "$repo"
like "people get a line for each" "$out" '^ *2 .*live.*second'
like "and the reason of a failure" "$out" 'test'

# --json
fields="author commit deploy directives environment error finished_at"
fields="$fields kind prepare_ms previous push pusher ref release"
fields="$fields release_state requested_at started_at state steps subject"
fields="$fields superseded window_ms"
is "the fields of a deploy are those of the manual" \
    "$(deploy 2 keys)" "$fields"
is "deploy" "$(deploy 2 deploy)" 2
is "environment" "$(deploy 2 environment)" production
is "kind" "$(deploy 2 kind)" deploy
is "state" "$(deploy 2 state)" live
is "commit" "$(deploy 2 commit)" "$(head_of HEAD~2)"
is "ref" "$(deploy 2 ref)" refs/heads/main
is "release" "$(deploy 2 release)" "$two"
is "previous" "$(deploy 2 previous)" "$one"
is "previous of the first" "$(deploy 1 previous)" null
is "author" "$(deploy 2 author)" "Bob <bob@example.org>"
is "subject" "$(deploy 2 subject)" "second -cc-"
is "directives" "$(deploy 2 directives)" '["cc"]'
is "superseded" "$(deploy 2 superseded)" '[]'
is "error of a good one" "$(deploy 2 error)" null
like "error of a bad one" "$(deploy 3 error)" 'test.*exit 9'
for key in requested_at started_at finished_at; do
	like "$key" "$(deploy 2 $key)" \
	    '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z$'
done
like "prepare_ms" "$(deploy 2 prepare_ms)" '^[0-9]+$'
like "window_ms" "$(deploy 2 window_ms)" '^[0-9]+$'
ok "the window holds what ran in it" test "$(deploy 2 window_ms)" -ge 200
is "a failed one had no window" "$(deploy 3 window_ms)" null
is "the fields of a step" "$(deploy 2 steps.0.keys)" \
    "action duration_ms exit host phase started_at state"
is "its phase" "$(deploy 2 steps.0.phase)" clear
is "its action" "$(deploy 2 steps.0.action)" cc
is "its host" "$(deploy 2 steps.0.host)" local
is "its state" "$(deploy 2 steps.0.state)" "done"
is "its exit status" "$(deploy 2 steps.0.exit)" 0
ok "its duration" test "$(deploy 2 steps.0.duration_ms)" -ge 200
is "a failed step" "$(deploy 3 steps.0.state)" failed
is "its exit status" "$(deploy 3 steps.0.exit)" 9
run "$slipway" log -C "$repo" --json -n 1 --state live
is "log has the same objects" "$(json 0.keys < "$T/.out")" \
    "$(deploy 2 keys)"

# show
run "$slipway" show -C "$repo"
is_exit "show succeeds" 0
like "without a number it is the newest" "$out" 'deploy 4'
run "$slipway" show -C "$repo" 2
like "the commit" "$out" "$(head_of HEAD~2 | cut -c 1-7)"
like "the author" "$out" 'Bob'
like "who asked for what" "$out" 'cc'
like "the step" "$out" 'clear'
like "what is live can be rolled back" "$out" 'roll back'
run "$slipway" show -C "$repo" 1
like "what was live was" "$out" 'release [0-9]{14} went live$'
unlike "and nothing is to be done" "$out" 'roll back'
run "$slipway" show -C "$repo" 1 --follow
like "nor is it to be with --follow" "$out" 'release [0-9]{14} went live$'
run "$slipway" show -C "$repo" 3
like "the output of what failed can be had" \
    "$out
$("$slipway" show -C "$repo" 3 --follow 2>&1)" 'the tests say no'
run "$slipway" show -C "$repo" 99
isnt "a number that is not there is an error" "$status" 0
like "it names the number" "$err" '99'
run "$slipway" show -C "$repo" x
is_exit "a number that is none is a usage error" 2

# show --follow picks up what is under way.
cat >> "$repo/slipway.ini" <<EOF

[action waits]
phase = build
directive = waits
run = echo "step one"; until test -e $T/go; do sleep 0.05; done; echo "step two"
EOF
git -C "$work" reset -q --hard HEAD~2
commit index.html five "fifth -waits-"
git -C "$work" push --force production main > "$T/push.out" 2>&1 &
pid=$!
started "$pid"
wait_for 10 grep -q "step one" "$T/push.out"
n=$(newest deploy)
is "a deploy under way is seen" "$(newest state)" preparing
run "$slipway" status -C "$repo"
like "status tells of it" "$out" "(deploy )?$n.*(preparing|under way)"
like "with its step, and since when" "$out" \
    "^  under way +deploy $n \([0-9a-f]{7}\) by .*, preparing for [0-9.]+ m?s, at build \(waits\) for [0-9.]+ m?s$"
timeout 30 "$slipway" show -C "$repo" "$n" --follow \
    > "$T/follow.out" 2>&1 &
follow=$!
started "$follow"
ok "follow shows what was before" \
    wait_for 10 grep -q "step one" "$T/follow.out"
touch "$T/go"
wait "$pid"
ok "follow ends when the deploy does" wait_for 10 ended "$follow"
wait "$follow"
is "with exit status 0" "$?" 0
like "follow shows what came after" "$(cat "$T/follow.out")" "step two"
like "to the end" "$(cat "$T/follow.out")" 'release [0-9]+ is live'
check_invariants "after follow"

# status
run "$slipway" status -C "$repo"
is_exit "status succeeds" 0
like "it says what is live" "$out" "$(current)"
run "$slipway" status -C "$repo" --json
ok "status has JSON, too" json 0 < "$T/.out"
like "with the release" "$out" "\"$(current)\""

# The program for whoever wants to know.
for verb in status log show; do
	run env -C "$repo" "$slipway" "$verb"
	is_exit "$verb works in the repository itself" 0
	run env GIT_DIR="$repo" "$slipway" "$verb"
	is_exit "$verb works with GIT_DIR" 0
done
run "$slipway" log -C "$T"
isnt "a folder that is no repository is an error" "$status" 0
run "$slipway" --version
is_exit "--version" 0
version=$out
run "$slipway" -C "$repo" --version
is "behind an option, too" "$out" "$version"
run "$slipway" version
is "and as a word" "$out" "$version"
run "$slipway" -C "$repo" help log
like "help is found behind an option" "$out" 'usage: slipway log'
run "$slipway" --verson
like "a misspelt one is known" "$err" "did you mean '--version'"
run "$slipway" nonsense
is_exit "an unknown command is a usage error" 2
run "$slipway"
is_exit "so is none" 2
run "$slipway" sttaus -C "$repo"
like "the nearest one is named" "$err" 'status'
run "$slipway" log -C "$repo" --state cancled
is_exit "so is an unknown state" 2
like "the nearest one is named, too" "$err" 'did you mean cancelled\?$'
run "$slipway" deploy --help
is "no line of help is longer than a terminal" \
    "$(printf '%s\n' "$out" | awk 'length($0) > 80')" ""
like "what a wide option does is below it" "$out" \
    '^  -d, --directive NAME\[:ARGUMENT\]$'

# verify
run "$slipway" verify -C "$repo"
is_exit "verify succeeds" 0
like "with a verdict" "$out" '^the chain is whole, and every row is as'
like "it counts what it has seen" "$out$err" '[0-9]+'
cp "$repo/slipway/journal.db" "$T/journal.db"
tamper() {
	cp "$T/journal.db" "$repo/slipway/journal.db"
	sql "DROP TRIGGER events_keep; DROP TRIGGER events_same; $2"
	run "$slipway" verify -C "$repo"
	isnt "verify finds $1" "$status" 0
	like "verify tells of $1" "$out$err" '(event|row|deploy|step|journal)'
}
tamper "an edited deploy" \
    "UPDATE deploys SET pusher = 'mallory' WHERE number = 2"
tamper "an edited step" "UPDATE steps SET exit = 0 WHERE exit = 9"
tamper "a deleted step" "DELETE FROM steps WHERE exit = 9"
tamper "an edited event" \
    "UPDATE events SET body = replace(body, 'alice', 'mallory') || ' '
	WHERE id = 3"
tamper "a deleted event" "DELETE FROM events WHERE id = 3"
tamper "deleted events at the end" \
    "DELETE FROM events WHERE id > (SELECT max(id) - 2 FROM events)"
tamper "a deleted deploy" \
    "PRAGMA foreign_keys = off; DELETE FROM steps WHERE deploy = 3;
	DELETE FROM directives WHERE deploy = 3;
	DELETE FROM releases WHERE deploy = 3;
	DELETE FROM deploys WHERE number = 3"
tamper "an added event" "INSERT INTO events (at, noun, key, body, hash)
	SELECT at, noun, key, body, hash FROM events WHERE id = 2"
cp "$T/journal.db" "$repo/slipway/journal.db"
check_invariants "with the real journal again"

# Versions
sql "DROP INDEX deploys_unfinished; DROP INDEX pushes_refused;
    DROP INDEX releases_state; CREATE TABLE kept AS SELECT * FROM pushers;
    DROP TABLE pushers; PRAGMA user_version = 1"
run "$slipway" log -C "$repo"
is_exit "a journal of the first version is read by its owner" 0
is "and has the version of today" "$(sql "PRAGMA user_version")" \
    "$(sqlite3 "$T/journal.db" 'PRAGMA user_version')"
run "$slipway" show -C "$repo" 1
like "what it did not know is not told" "$out" 'pusher +'
unlike "as here" "$out" 'known by'
sql "INSERT INTO pushers SELECT * FROM kept; DROP TABLE kept"
check_invariants "migrated"
sql "PRAGMA user_version = 7777"
before=$(sha256sum "$repo/slipway/journal.db")
run "$slipway" log -C "$repo"
isnt "a journal of a newer Slipway is refused" "$status" 0
like "with its version" "$err" '7777'
like "and with ours" "$err" "\b$(sqlite3 "$T/journal.db" \
    'PRAGMA user_version')\b"
commit index.html six "sixth"
push_raw
isnt "a push is refused, too" "$status" 0
like "with its version" "$banner" '7777'
is "and it is not touched" "$(sha256sum "$repo/slipway/journal.db")" \
    "$before"
cp "$T/journal.db" "$repo/slipway/journal.db"
echo "no database" > "$repo/slipway/journal.db"
run "$slipway" log -C "$repo"
isnt "what is no database is refused" "$status" 0
push_raw
isnt "and refuses a push" "$status" 0
: > "$repo/slipway/journal.db"
# It does not know the names that were given, so the clock must be ahead.
newest=$(ls "$root/releases" | tail -n 1)
ahead() {
	[ "$(date -u +%Y%m%d%H%M%S)" -gt "$newest" ]
}
wait_for 20 ahead
push
is_exit "an empty one is as old as can be: its tables are made" 0
done_testing
