#!/bin/sh
# Every kind of ref in a push: each does the sensible thing and says so.

. "$(dirname "$0")/../lib.sh"

make_site
cat >> "$repo/slipway.ini" <<EOF

[environment staging]
branch = develop
root = $T/staging
EOF
mkdir -p "$T/staging"
add_site staging "$T/staging"

push_file index.html one "first"
is "production is live" "$(live_file index.html)" one
not_ok "staging is not" test -e "$T/staging/current"

git -C "$work" checkout -q -b develop
commit index.html two "second"
git -C "$work" checkout -q main
commit index.html three "third"
push main develop
is_exit "two branches in one push" 0
is "production has its commit" "$(live_file index.html)" three
is "staging has its own" "$(cat "$T/staging/current/index.html")" two
like "both are told" "$banner" 'production: release [0-9]+ is live'
like "both are told (staging)" "$banner" 'staging: release [0-9]+ is live'
like "each activation is told apart (staging)" "$banner" '^(remote: )?deploy [0-9]+, staging:'

git -C "$work" checkout -q -b feature
commit index.html four "fourth"
before=$(snapshot | grep -v refs/heads/feature)
push feature
is_exit "a branch that nobody deploys can be pushed" 0
is "nothing is deployed" "$(snapshot | grep -v refs/heads/feature)" "$before"
like "and it says so" "$banner" 'feature.*(no environment|not deploy|nothing)'

git -C "$work" tag -a -m "version 1" v1
before=$(readlink "$root/current")
push v1
is_exit "a tag can be pushed" 0
is "nothing is deployed" "$(readlink "$root/current")" "$before"
like "and it says so" "$banner" 'tag v1 is stored; tags are not deployed'
git -C "$work" branch -q elsewhere
push elsewhere
like "a branch that nothing deploys has a way to be" "$banner" \
    "staging deploys develop\); to have it deployed: git push REMOTE \
$(git -C "$work" rev-parse --short=7 elsewhere):refs/heads/BRANCH\$"
push "elsewhere:refs/heads/x;id" elsewhere:refs/heads/-x
unlike "in which its name is no part" "$banner" 'REMOTE.*(x;id|-x)'
push ":refs/heads/x;id" :refs/heads/-x
push :elsewhere
unlike "one that is gone has none" "$banner" 'to have it deployed'
ok "the tag is there" git -C "$repo" rev-parse -q --verify refs/tags/v1

git -C "$work" checkout -q main
push +v1:main
isnt "a branch does not become a tag object" "$status" 0
like "with the reason, and what to push" "$banner" "error: a branch points at \
a commit; [0-9a-f]{7} is a tag of [0-9a-f]{7}: push that to refs/heads/main"
is "and stays what it was" "$(git -C "$repo" rev-parse main)" "$(head_of)"
commit index.html five "fifth"
git -C "$work" tag v2
push main v2
is_exit "a branch and a tag in one push" 0
is "the branch is deployed" "$(live_file index.html)" five

push :feature
is_exit "a branch that nobody deploys can be deleted" 0
is "the site stays" "$(live_file index.html)" five

count=$(newest deploy)
push :develop
is_exit "so can one that is deployed" 0
is "its site stays" "$(cat "$T/staging/current/index.html")" two
is "nothing is deployed by that" "$(newest deploy)" "$count"
like "and it says so" "$banner" 'develop.*(delete|gone|stays)'

push develop
is_exit "the branch can come back" 0
is "its commit is live already, and stays" \
    "$(cat "$T/staging/current/index.html")" two
like "which it says" "$banner" 'is live already, as release'
is "no deploy was needed" "$(newest deploy)" "$count"

git -C "$work" reset -q --hard HEAD~1
commit index.html six "sixth, on another way"
push main
isnt "git refuses what is no fast-forward" "$status" 0
is "and nothing changes" "$(live_file index.html)" five
push --force main
is_exit "a forced push goes through" 0
is "it is deployed" "$(live_file index.html)" six
like "and it says so" "$banner" '(forced|rewound|no longer|left out)'

git -C "$work" checkout -q develop
git -C "$work" reset -q --hard main
git -C "$work" checkout -q main
push --force develop
is "another environment gets the same commit" \
    "$(cat "$T/staging/current/index.html")" six

# Two environments of one branch.
sed -i 's/^branch = develop$/branch = main/' "$repo/slipway.ini"
push_file index.html both "for both"
is "a push deploys to both" "$(live_file index.html)" both
is "to the other one, too" "$(cat "$T/staging/current/index.html")" both
like "both are shown" "$banner" 'production: release [0-9]+ is live'
like "both are shown (staging)" "$banner" 'staging: release [0-9]+ is live'
sed -i '/staging/,$s/^branch = main$/branch = develop/' "$repo/slipway.ini"

# Names that would keep hand edits from being kept.
for ref in refs/heads/drift refs/heads/drift/production \
    refs/heads/drift/production/2026-11-26 \
    refs/heads/drift/production/2026-11-26/x; do
	push "main:$ref"
	like "a branch $ref is refused" "$err" "$ref would be in the way"
done
push main:refs/heads/drift/productions
is_exit "one that only begins so is a branch like any other" 0
push :refs/heads/drift/productions
git -C "$repo" branch drift/production/2026-11-26 main
push :refs/heads/drift/production/2026-11-26
is_exit "one of ours can be deleted when it is merged" 0

# Refs that are ours to write.
before=$(snapshot)
for ref in refs/slipway/deploys/1 refs/slipway/x refs/live/production \
    refs/live/x refs/notes/deploys; do
	push "+main~1:$ref"
	isnt "a push to $ref is refused" "$status" 0
	is "$ref: nothing changes" "$(snapshot)" "$before"
	push ":$ref"
	is "$ref: a deletion changes nothing" "$(snapshot)" "$before"
done
commit index.html seven "seventh"
push main "+main:refs/live/production"
is "a bad ref beside a good one leaves the truth in refs/live" \
    "$(git -C "$repo" rev-parse refs/live/production)" \
    "$(git -C "$repo" rev-parse main)"

# Names that a shell would stumble over.
# shellcheck disable=SC2016
for name in 'a;touch${IFS}x' '$(id)' '`id`' 'a|b' "it's" 'a"b'; do
	push_raw "main:refs/heads/$name"
	is_exit "a branch can be called $name" 0
done
check_invariants "after branches with odd names"
ok "none was executed" test ! -e "$repo/x"

git -C "$work" checkout -q --orphan fresh
git -C "$work" rm -rfq .
commit index.html eight "a new beginning"
push --force fresh:main
is_exit "a history that has nothing in common" 0
is "is deployed" "$(live_file index.html)" eight
done_testing
