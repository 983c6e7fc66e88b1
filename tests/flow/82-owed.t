#!/bin/sh
# What a deploy that went back did not undo is judged by what was run and by
# the commits that asked for it, and is told as long as it is so.

. "$(dirname "$0")/../lib.sh"

make_site
migrating() {
	cat <<-EOF_CONFIG
	keep = 20

	[action dump]
	phase = backup
	directive = updb
	run = touch "\$SLIPWAY_BACKUP_DIR/dump"

	[action updb]
	phase = migrate
	directive = updb
	run = cp db $root/shared/db
	undo = echo undone > $root/shared/db

	[action schema]
	phase = migrate
	when = changed schema/*
	run = true
	undo = true
	EOF_CONFIG
}
migrating | config
status_line() {
	"$slipway" status -C "$repo" | sed -n 's/^  not undone    //p'
}
json_line() {
	"$slipway" status -C "$repo" --json | json "0.$1"
}

# The commit that asks for the migration is not the tip of its push.
push_file db A A
a=$(head_of)
first=$(current)
put schema/1 B
commit db B "B -updb-"
b=$(head_of)
push_file db2 C C
is "the migration has run" "$(cat "$root/shared/db")" B
slip plan "$b"
like "to go back to the commit that asked leaves one commit" "$out" \
    'goes back: 1 commit leaves$'
unlike "and nothing to be undone" "$out" 'is not undone'
slip deploy "$b"
unlike "nor does the deploy say so" "$out$err" 'undo'
is "the status has none" "$(status_line)" ""
is "nor has its object" "$(json_line not_undone)" "[]"

told="schema of deploy 2, updb of deploy 2"
undo="slipway rollback $first -C $repo -e production"
slip plan "$a"
like "to go back past it leaves it" "$out" "^  is not undone: $told$"
like "which a rollback undoes" "$out" "^  to undo it instead: $undo$"
slip deploy "$a"
like "the deploy warns of it" "$out$err" \
    "goes back: 1 commit leaves; a deploy does not undo $told"
like "and ends with it" "$out$err" "^  not undone    $told$"

# It is so for longer than one deploy.
is "the status tells it" "$(status_line)" "$told; to undo it: $undo"
is "so does its object" "$(json_line not_undone)" \
    '[{"action":"schema","can_be":true,"deploy":2},{"action":"updb","can_be":true,"deploy":2}]'
is "with the release" "$(json_line undone_by)" "$first"
slip plan "$a"
like "a plan of the same commit tells it" "$out" "^  is not undone: $told$"
unlike "and does not go back" "$out" 'goes back'
slip deploy "$a"
like "so does its deploy" "$out$err" "^  not undone    $told$"
like "with the dump" "$out$err" "^  backed up     $repo/slipway/backup/2 "
unlike "and does not go back, either" "$out$err" 'goes back'
git -C "$work" checkout -q -b other "$a"
push_file other D D -f other:main
like "so does one of a commit that knows nothing of it" "$banner" \
    "^  not undone    $told$"

# Code that was made for it makes it no news.
slip plan "$b"
unlike "forward it is not told" "$out" 'is not undone'

slip deploy "$a"
slip rollback "$first"
is_exit "the command that was told works" 0
like "a rollback within a commit does not say that nothing changes" \
    "$out$err" 'of the commit that is live already, .*: the code does not change'
is "it has undone it" "$(cat "$root/shared/db")" undone
is "then it is not told any more" "$(status_line)" ""

# A dump of what was undone is of no use to anybody.
push -f "$b:main"
slip deploy "$a"
like "only dumps of what is not undone are told" "$out$err" \
    "^  backed up     $repo/slipway/backup/[0-9]+ \(before deploy [0-9]+\)$"
unlike "not that of what was" "$out$err" 'backup/2 '
slip rollback "$first"

# A migration without an undo: a rollback tells it, too.
migrating | sed '/^undo = echo/d' | config
slip deploy "$b"
n=$(newest deploy)
slip rollback
like "a rollback tells what it could not undo" "$out$err" \
    "^  not undone    updb of deploy $n \(it has no undo\)$"
like "and where the dump is" "$out$err" \
    "^  backed up     $repo/slipway/backup/$n \(before deploy $n\)$"
is "so does the status" "$(status_line)" "updb of deploy $n (it has no undo)"

# Once its release is gone, it is told until the action has run again.
{ echo 'keep = 1'; migrating | sed '/^undo = echo/d; /^keep/d'; } | config
slip deploy "$a"
slip deploy "$a"
is "its release is gone" \
    "$(sql "SELECT state FROM releases WHERE deploy = $n")" removed
is "it is told" "$(status_line)" "updb of deploy $n (it has no undo)"
slip deploy -d updb "$a"
is "the action has run again" "$(cat "$root/shared/db")" A
is "then it is history" "$(status_line)" ""

# A project without a dump is told of none.
config <<'EOF'
[action up]
phase = migrate
directive = up
run = true
undo = true
EOF
push_file up 1 "up -up-" -f other:main
n=$(newest deploy)
slip rollback
not_ok "an undo leaves no empty folder" test -e "$repo/slipway/backup/$n"
slip deploy
slip deploy main~1
like "what is not undone is told" "$out$err" '^  not undone    up of deploy'
unlike "and no dump" "$out$err" 'backed up'
mkdir "$repo/slipway/backup/$(($(newest deploy) - 1))"
slip plan main~1
like "it is told again" "$out" 'is not undone: up of deploy'
unlike "and an empty folder is no dump" "$out" 'backed up:'

# The same files with another message, and migrated again, leave nothing.
migrating | config
commit db D "D -updb-"
push -f HEAD:main
git -C "$work" commit -q --amend -m "D, in other words -updb-"
push -f HEAD:main
unlike "a mended message is no way back" "$(status_line)" updb
push_file db2 D "D more" HEAD:main
unlike "nor is it later" "$(status_line)" updb
git -C "$work" reset -q --hard HEAD~2
commit db E "E -updb-"
n=$(newest deploy)
push -f HEAD:main
like "other files are" "$(status_line)" "updb of deploy $((n - 1))"
done_testing
