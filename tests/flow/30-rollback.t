#!/bin/sh
# slipway rollback takes back code and, by undo, what it did.

. "$(dirname "$0")/../lib.sh"

make_site
config_trace <<'EOF'
[action schema]
phase = migrate
directive = schema
run = cat version >> "$TRACE"
undo = test ! -e "$TRACE.no" && echo "undo $(cat version)" >> "$TRACE"

[action data]
phase = migrate
directive = data
run = echo "data $(cat version)" >> "$TRACE"
undo = echo "undo data $(cat version)" >> "$TRACE"

[action forever]
phase = migrate
directive = forever
run = echo "forever" >> "$TRACE"

[action restart]
phase = restart
run = echo "restart $(cat "$SLIPWAY_CURRENT/version")" >> "$TRACE"

[action stuck]
phase = restart
run = test ! -e "$TRACE.stuck"

[action fails]
phase = verify
directive = fails
run = exit 1

[action edit]
phase = build
directive = edit
run = echo built >> page && rm draft
EOF
slip rollback
isnt "without a release there is nothing to roll back" "$status" 0
like "it says so" "$err" '(release|nothing|live|roll)'

push_file version 1 "one -schema-"
one=$(current)
n=$(newest deploy)
slip rollback
isnt "nor with one" "$status" 0
push_file version 2 "two -schema- -data-"
two=$(current)
push_file version 3 "three"
three=$(current)
push_file version 4 "four -schema-"
four=$(current)
: > "$T/trace"

slip rollback
is_exit "rollback succeeds" 0
is "the release before is live" "$(current)" "$three"
is "its page, too" "$(live_file version)" 3
is "what the newest did was undone, before the restart" \
    "$(trace | paste -s -d ,)" "undo 4,restart 3"
like "it says what is undone" "$out$err" 'schema'
like "it says what is live" "$out$err" "$three"
is "it is a deploy of its own" "$(newest kind)" rollback
is "in the state live" "$(newest state)" live
is "with that release" "$(newest release)" "$three"
is "refs/live says so" \
    "$(git -C "$repo" rev-parse refs/live/production)" "$(head_of HEAD~1)"

: > "$T/trace"
slip rollback "$one"
is_exit "rollback to a release by name" 0
is "it is live" "$(live_file version)" 1
is "everything between is undone, newest first" \
    "$(trace | paste -s -d ,)" "undo data 2,undo 2,restart 1"

# Forward again: the same commit can be deployed.
: > "$T/trace"
slip deploy main
is_exit "deploy brings the newest commit back" 0
is "it is live" "$(live_file version)" 4
like "what was undone is done again" "$(trace | paste -s -d ,)" \
    '^4,data 4,restart 4$'
: > "$T/trace"
slip rollback "$n"
is_exit "rollback to a deploy by number" 0
is "it is live" "$(live_file version)" 1
is "what it did is undone" "$(trace | paste -s -d ,)" \
    "undo data 4,undo 4,restart 1"
slip deploy main
is "and forward" "$(live_file version)" 4

# What was undone under a release is not there for its code any more.
: > "$T/trace"
slip rollback "$three"
is_exit "no rollback to what a rollback went past" 1
like "it says what is missing, and what helps" "$err" \
    "release $three needs what a rollback has undone: schema of deploy \
$((n + 1)); .*slipway deploy [0-9a-f]{7} "
slip rollback "$(head_of HEAD~1)"
like "nor is it the way to its commit" "$err" \
    'a rollback goes to a release: to deploy it'
is "all that changed nothing" "$(live_file version) $(trace)" "4 "

# A failed one between is no place to go to.
push_file version 5 "five -fails-"
is "a failed one is not live" "$(live_file version)" 4
git -C "$work" commit -q --allow-empty -m "six"
sed -i '/^\[action fails\]/,/^run/s/^run.*/run = true/' "$repo/slipway.ini"
push
is "the next one is" "$(live_file version)" 5
slip rollback
is "rollback goes to what was live before" "$(live_file version)" 4

# What cannot be undone is said.
push_file version 7 "seven -forever-"
slip rollback
is_exit "what cannot be undone does not stop it" 0
like "but is said" "$out$err" '(cannot|not) .*(undone|undo)|no undo'
is "the code is back" "$(live_file version)" 4

# Wrong names.
live=$(current)
for what in 20000101000000 999 nonsense ../../etc; do
	slip rollback "$what"
	isnt "no rollback to $what" "$status" 0
	like "it names $what" "$err" "$what"
done
slip rollback "$live"
isnt "no rollback to what is live" "$status" 0
like "it says so" "$err" 'live'
is "all that changed nothing" "$(current)" "$live"

# A release that somebody has edited is put right before it becomes live; one
# whose built file was edited is not gone back to.
push_file version 8 "eight"
eight=$(current)
before=$(cat "$root/releases/$live/version")
echo edited >> "$root/releases/$live/version"
chmod 4646 "$root/releases/$live/version"
slip rollback "$live"
is_exit "a rollback to a release that was edited" 0
like "names the file" "$out$err" \
    'was put right: version modified; kept on branch drift/production/'
drift=drift/production/$(date -u +%Y-%m-%d)
is "the edit is on a branch" "$(git -C "$repo" show "$drift:version" |
    paste -s -d ,)" "$before,edited"
is "of the commit that the release is of" \
    "$(git -C "$repo" rev-parse "$drift^")" "$(newest commit)"
is "which is as it was" "$(live_file version)" "$before"
is "with its mode" "$(stat -c %a "$root/current/version")" 644
slip deploy
is_exit "and back" 0
eight=$(current)

# Nothing is put right that cannot be kept before.
push_file version 8a "eight and a bit"
for i in 1 2 3 4; do
	echo "by hand" > "$root/releases/$eight/by-hand-$i"
done
rm "$root/releases/$eight/version"
mkdir "$root/releases/$eight/version"
echo "by hand" > "$root/releases/$eight/version/deep"
mkdir -p "$repo/refs/heads/drift"
mv "$repo/refs/heads/drift" "$T/drift"
touch "$repo/refs/heads/drift"
run "$slipway" rollback "$eight" -C "$repo"
isnt "a rollback whose branch cannot be made" "$status" 0
like "says so" "$out$err" "$eight was edited by hand .version.*roll back again"
is "nothing was touched" "$(cat "$root/releases/$eight/version/deep")" \
    "by hand"
rm "$repo/refs/heads/drift"
mv "$T/drift" "$repo/refs/heads/drift"
extras=yes
slip rollback "$eight"
is_exit "when it can" 0
is "it is as it was" "$(live_file version)" 8
is "what was in the place of a file is kept" \
    "$(git -C "$repo" show "$drift-2:version/deep")" "by hand"
is "what was added stays" "$(find "$root/current/" -name 'by-hand-*' | wc -l)" 4
like "and is told" "$out$err" '4 files more than were deployed'
rm "$root/current/by-hand-"*
extras=

# Services that do not come up again, when code and database are back.
push_file version 8b "eight and a half"
touch "$T/trace.stuck"
slip rollback
is_exit "a rollback whose restart fails has failed" 1
like "it says which" "$out$err" 'restart \(stuck\): exit 1'
is "the release that it went back to is live" "$(current)" "$eight"
is "for the journal, too" "$(newest state) $(newest release)" "live $eight"
rm "$T/trace.stuck"

# What the commands of a deploy made of its files is what was deployed.
built="page draft"
put page plain
put draft gone
push_file version 8c "edited by a build -edit-"
edited=$(current)
is "a build edits a file of the commit" "$(live_file page | paste -s)" \
    "plain	built"
push_file version 8d "not edited"
slip rollback
is_exit "rollback to it succeeds" 0
is "it is live" "$(current)" "$edited"
is "as it was built" "$(live_file page | paste -s)" "plain	built"
push_file version 8e "not edited"
plain=$(current)
echo edited >> "$root/releases/$edited/page"
echo edited > "$root/releases/$edited/version"
drifts=$(git -C "$repo" for-each-ref refs/heads/drift)
slip rollback "$edited"
isnt "not to one that was edited by hand afterwards" "$status" 0
like "it names the file" "$out$err" '1 file.*page'
unlike "and not the one that a build removed" "$out$err" 'draft'
is "and nothing is touched" "$(cat "$root/releases/$edited/version")" edited
is "nor kept" "$(git -C "$repo" for-each-ref refs/heads/drift)" "$drifts"
is "what was live is live" "$(current)" "$plain"

# An undo that fails.
push_file version 9 "nine -schema-"
nine=$(current)
touch "$T/trace.no"
slip rollback
is_exit "a rollback whose undo fails needs a hand" 6
like "it says which" "$out$err" 'undo of schema: exit 1'
is "its state" "$(newest state)" broken
is "nothing was flipped" "$(current)" "$nine"

# What could not be undone is tried again, not forgotten.
slip rollback
is_exit "once more is no better" 6
is "nothing was flipped" "$(current)" "$nine"
rm "$T/trace.no"
: > "$T/trace"
slip rollback
is_exit "the cause is mended: the rollback succeeds" 0
is "the undo has run" "$(trace | head -n 1)" "undo 9"
like "it says so" "$out" 'migrations +ran, undone'

# Another release of the same commit.
slip deploy
slip deploy
slip rollback
is_exit "back to a release of the same commit" 0
like "is told" "$out" 'is of the commit that is live already'

# The live release is gone, and with it what would undo what it did.
push_file version 10 "ten -schema-"
ten=$(current)
n=$(newest deploy)
rm -r "${root:?}/releases/$ten"
run "$slipway" rollback -C "$repo"
is_exit "a rollback that cannot undo what it has to" 1
way=$(printf '%s\n' "$err" |
    sed -n 's/.*; \(slipway deploy .*\) makes what is live anew, and .*/\1/p')
like "says why" "$err" "schema of deploy $n cannot be undone: that runs in \
its release, $ten, which is not in $root/releases; "
is "and does not begin" "$(newest deploy)" "$n"
commit version 11 "not now -skip-"
push_raw
like "nothing is said to stay live" "$banner" \
    "release $ten should be live, and is not: current points to what is gone;"
run sh -c "$way"
is_exit "what is said, typed" 0
is "makes it anew" "$(live_file version)" 10
# A kept release that needs no undo is gone back to all the same.
push_file version 12 "twelve"
slip rollback
slip deploy
rm -r "${root:?}/releases/$(current)"
slip rollback
is_exit "where nothing is to be undone, a rollback mends it" 0
unlike "and does not say that nothing changes" "$out" 'does not change'

# The log tells which of them was no deploy.
run "$slipway" log -C "$repo" -n 1
like "the log tells that it was a rollback" "$out" '  rollback: [a-z]'
run "$slipway" log -C "$repo" --kind rollback --format '{kind}\t{state}' -n 1
is "and lists those alone" "$out" "$(printf 'rollback\tlive')"
done_testing
