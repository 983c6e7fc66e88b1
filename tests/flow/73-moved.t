#!/bin/sh
# What was called or lay elsewhere yesterday: an environment with another
# name, a root with another path, a repository that was moved, a release that
# somebody removed. Each is told with a way that works.

. "$(dirname "$0")/../lib.sh"

# rename FROM TO: of an environment, as an editor does it.
rename() {
	sed -i "s/^\[environment $1\]/[environment $2]/" "$repo/slipway.ini"
}

status() {
	run "$slipway" status -C "$repo"
}

# left STATE: a deploy of "production" that nobody is at.
left() {
	sql "INSERT INTO deploys (environment, kind, state, commit_oid,
	    pusher, requested_at) VALUES ('production', 'deploy', '$1',
	    '$(head_of)', 'x', 1)"
}

make_site --transactional
config <<'EOF'
transactional = yes
keep = 9

[action updb]
phase = migrate
directive = updb
run = echo up >> "$SLIPWAY_SHARED/ups"
undo = rm "$SLIPWAY_SHARED/ups"

[action bad]
phase = verify
run = test ! -e "$SLIPWAY_SHARED/bad"
EOF
push_file index.html one "first -updb-"
live=$(current)
is "the history has asked once" "$(cat "$root/shared/ups")" up

# The name of the environment is another one.
rename production prod
commit index.html two "second"
push_raw
is_exit "a push fails" 1
like "says whose the root is" "$banner" \
    "root $root belongs to $repo, environment production; if it was renamed"
like "and how it goes on, in full" "$banner" \
    "production back in slipway.ini, .*remove $root/.slipway/owner; else "
like "git's own line ends with a clause" "$err" \
    "remote rejected.*environment production, see above; current points to \
release $live\)"
unlike "and not in the middle of a remedy" "$err" 'rejected.*remove'
status
is_exit "status ends with a failure" 1
like "tells whose the root is" "$out" \
    "^  but +the root $root belongs to $repo, environment production; if it \
was renamed, put the name production back .*remove $root/.slipway/owner"
unlike "and does not send in a circle" "$out$err" 'slipway deploy'
is "in short, too" "$err" \
    "slipway: prod: every deploy would fail, since the root is another's"
run "$slipway" doctor -C "$repo" --etc "$T"
like "so does the doctor" "$out" "^fault: $root: .*environment production"
unlike "which does not ask for deploys, either" "$out" 'fault: .*current: '
run "$slipway" log -C "$repo" -e production
is_exit "the journal has the old name" 0
like "and its deploys" "$out" '^ *1 .*live'
run "$slipway" log -C "$repo" -e nowhere
is_exit "one that nobody has had is an error" 2

# What is said helps: the name is put back.
rename prod production
push_raw
is_exit "with its name the push goes live" 0
is "it does" "$(live_file index.html)" two
check_invariants "as if nothing had been"
status
is_exit "and status has nothing to say" 0

# Or it begins anew, as a first deploy.
rename production prod
live=$(current)
rm "$root/.slipway/owner"
status
is_exit "another name in a root that is nobody's" 1
like "is told of, with what the journal knows" "$out" \
    "but +$root/current points to releases/$live, which the journal has of \
environment production; slipway deploy -C .* makes one of this environment"
run "$slipway" plan -C "$repo"
like "the plan has all that was asked for" "$out" 'updb'
touch "$root/shared/bad"
run "$slipway" deploy -C "$repo"
is_exit "a first deploy that fails" 5
is "goes back to what was live" "$(current)" "$live"
rm "$root/shared/bad"
run "$slipway" deploy -C "$repo"
is_exit "a deploy goes live" 0
is "the root is its own" "$(cat "$root/.slipway/owner")" "$repo prod"
is "and ran what all commits ask for" "$(cat "$root/shared/ups")" up
unlike "no rollback is offered" "$out" 'roll back'
ok "what was live before stays" test -d "$root/releases/$live"
status
is_exit "status is content" 0

# Back again: the journal goes on where it was.
rename prod production
rm "$root/.slipway/owner"
status
like "the link is that of the other" "$out" \
    "points to releases/$(current); slipway deploy [0-9a-f]{7} -C .* turns it"
run "$slipway" deploy -C "$repo"
is_exit "which a deploy does" 0
check_invariants "after that"

# What waits under a name that is gone can be stopped.
left queued
n=$(newest deploy)
rename production prod
run "$slipway" cancel -C "$repo" -e production
is_exit "by its name" 0
is "it is cancelled" "$(deploy "$n" state)" cancelled
left queued
n=$((n + 1))
run "$slipway" cancel -C "$repo" "$n"
is_exit "by its number" 0
left preparing
run "$slipway" cancel -C "$repo" -e production
is_exit "one that was begun is not" 3
like "and why" "$err" "was begun in the environment production, .*put it back"
sql "DELETE FROM deploys WHERE state = 'preparing'"
run "$slipway" cancel -C "$repo" -e nowhere
is_exit "nor one of nowhere" 2
rename prod production

# The repository is elsewhere.
old=$repo
repo=$T/moved.git
mv "$old" "$repo"
git -C "$work" remote set-url production "$repo"
status
is_exit "a repository that was moved" 1
like "tells that its root is not its own yet" "$out" \
    "belongs to $old, environment production; that repository is not there: \
if it is $repo now, remove $root/.slipway/owner; else"
rm "$root/.slipway/owner"
push_file index.html three "third"
is_exit "that helps" 0
is "and is live" "$(live_file index.html)" three

# Releases are removed by hand.
three=$(current)
push_file index.html four "fourth"
four=$(current)
push_file index.html five "fifth"
rm -r "$root/releases/$four"
run "$slipway" rollback -C "$repo"
is_exit "what a rollback would go to is gone" 1
like "the one before it is named" "$err" \
    "no release $four in $root/releases: was it removed by hand.*: slipway \
rollback $three -C $repo\$"
run git -C "$work" push production :refs/deploy/production/rollback
like "to who pushes, too" "$err" "on the server: slipway rollback $three -C $repo"
run "$slipway" rollback -C "$repo" "$three" -e production
is_exit "that works" 0
is "it is live" "$(live_file index.html)" three

# Several branches: what is lost has to be named.
sed -i 's/^branch = main/branch = main rel-*/; s/^transactional.*//' \
    "$repo/slipway.ini"
rm -r "$root/releases/$three"
status
like "its commit is named" "$out" \
    "points to what is gone; slipway deploy [0-9a-f]{7} -C .* makes it anew"
run "$slipway" deploy -C "$repo" "$(printf '%s\n' "$out" |
    sed -n 's/.*; slipway deploy \([0-9a-f]*\) -C .* makes.*/\1/p')"
is_exit "and that works" 0
like "after a warning" "$out" \
    "warning: the journal has release $three live, and $root has none"
is "it is back" "$(live_file index.html)" three

# The root is another folder.
live=$(current)
sed -i "s,^root = .*,root = $T/new," "$repo/slipway.ini"
status
is_exit "a root without what is live" 1
like "is told" "$out" "but +$T/new/current is not there, nor is release $live, \
which the journal has live; slipway deploy [0-9a-f]* -C .* makes it anew; if root \
was changed in slipway.ini, move the old folder to $T/new, or copy its shared/"
run "$slipway" plan -C "$repo" main
like "the plan warns" "$out" "warning: the journal has release $live live, \
and $T/new has none of that name, and no current: if root was changed in"
like "and does not say that it is live" "$out" \
    'it is live in the journal: .*, slipway deploy does'
mv "$root" "$T/new"
root=$T/new
_sites="production:$root"
status
is_exit "the old folder is moved there" 0
push_file index.html six "sixth"
is "that helps" "$(live_file index.html)" six
unlike "nothing is told" "$banner" 'warning'

live=$(current)
sed -i "s,^root = .*,root = $T/newer,; s/^keep = 9/keep = 1/" \
    "$repo/slipway.ini"
root=$T/newer
_sites="production:$root"
commit index.html seven "seventh"
push_raw
is_exit "a deploy into another root" 0
is "is live" "$(live_file index.html)" seven
is "and warns once" "$(printf '%s\n' "$banner" | grep -c 'warning')" 1
like "of what the root has not" "$banner" \
    "warning: the journal has release $live live, and $root has none"
unlike "a rollback that cannot work is not offered" "$banner" 'roll back'
unlike "and nothing was removed that was not there" "$banner" 'removed'
run "$slipway" cleanup -C "$repo"
is_exit "cleanup" 0
unlike "has nothing to remove, either" "$out$err" "$live"
run "$slipway" rollback -C "$repo"
like "a rollback names a commit" "$err" \
    "no release $live in $root/.*: slipway deploy [0-9a-f]{7} -C $repo\$"

# A new repository has no slipway.ini yet.
run "$slipway" init "$T/other.git" --root "$root"
is_exit "a root that is taken" 2
like "sends to the option" "$err" 'another root \(.*--root of slipway init\)'

done_testing
