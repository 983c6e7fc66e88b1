#!/bin/sh
# Going back without a rollback: the plan and the deploy say which commits
# leave, what of them is not undone, and which command does it.

. "$(dirname "$0")/../lib.sh"

make_site
config <<'EOF'
keep = 10

[action dump]
phase = backup
directive = updb
run = touch "$SLIPWAY_BACKUP_DIR/dump"

[action updb]
phase = migrate
directive = updb
run = true
undo = true

[action fra]
phase = migrate
directive = fra
run = true
EOF
push_file index.html one first
first=$(current)
one=$(head_of)
push_file index.html two "second -updb-"
unlike "a deploy that goes forward says nothing of it" "$banner" \
    'goes back|leave|undone'
push_file index.html three "third -updb- -fra-"
push_file index.html four fourth
slip plan
unlike "nor does its plan" "$out" 'goes back|undo'

slip plan main~3
like "a plan says how many commits leave" "$out" \
    '^  goes back: 3 commits leave$'
like "and which" "$out" \
    "^    $(head_of HEAD~1 | cut -c 1-7) third -updb- -fra-"
like "and what of them is not undone" "$out" \
    '^  is not undone: fra of deploy 3 \(it has no undo\), updb of deploy 3, updb of deploy 2$'
like "and where it was backed up" "$out" \
    "^  backed up: $repo/slipway/backup/3 \(before deploy 3\), $repo/slipway/backup/2 "
like "and what would undo it" "$out" \
    "^  to undo it instead: slipway rollback $first -C $repo -e production$"
slip plan main~1
like "one commit leaves" "$out" '^  goes back: 1 commit leaves$'
unlike "and with it nothing that was done" "$out" 'undo'
run "$slipway" plan -C "$repo" main~3 --json
is "the object has the number" "$(json leave < "$T/.out")" 3
is "the commits" "$(json leaving.2.subject < "$T/.out")" "second -updb-"
is "what is not undone" "$(json not_undone.0 < "$T/.out")" \
    '{"action":"fra","can_be":false,"deploy":3}'
is "and the release" "$(json undone_by < "$T/.out")" "$first"

push -f main~3:refs/heads/main
is "it is live" "$(live_file index.html)" one
like "it says so before" "$banner" \
    'warning: goes back: 3 commits leave; a deploy does not undo fra of deploy 3'
like "and at the end" "$banner" '^  goes back     3 commits leave$'
like "with what is not undone" "$banner" \
    '^  not undone    fra of deploy 3 .*, updb of deploy 2$'
like "what was backed up" "$banner" "^  backed up     $repo/slipway/backup/3 "
like "and the command that does it" "$banner" \
    "^  to undo it    slipway rollback $first -C $repo -e production$"
slip rollback "$first"
is_exit "which works" 0
is "it undoes the migrations that can be" \
    "$(sql "SELECT count(*) FROM steps WHERE state = 'undone'")" 2

# What was undone is not told again.
push -f main
slip deploy main~3
like "only what is not undone yet" "$out$err" \
    'not undone    fra of deploy 7 .*, updb of deploy 7, fra of deploy 3'
unlike "and that is not" "$out$err" 'updb of deploy 3'

# Branches that part: some come, others leave.
git -C "$work" checkout -q -b feature "$one"
commit other.html five fifth
push feature
slip deploy main
slip plan feature
like "some go live" "$out" 'commits that go live: 1$'
like "and some leave" "$out" 'goes back: 3 commits leave$'
unlike "to a commit without a release no rollback leads" "$out" 'rollback'
slip plan main
unlike "forward again" "$out" 'goes back'

# With "keep = 1" the release may go with the deploy that goes back.
sed -i 's/^keep .*/keep = 1/' "$repo/slipway.ini"
slip deploy main~3
like "what is not undone is told" "$out$err" '^  not undone  '
unlike "and no release that is not kept" "$out$err" '^  to undo it'
done_testing
