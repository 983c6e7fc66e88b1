#!/bin/sh
# The branch and what is live: status says how they differ and what to do,
# and a push says when it was not what its pusher meant.

. "$(dirname "$0")/../lib.sh"

# not_live: what status says of it.
not_live() {
	"$slipway" status -C "$repo" --json 2>/dev/null |
	    json 0.not_live
}

# short [REV]: as people are shown it.
short() {
	git -C "$work" rev-parse --short=7 "${1:-HEAD}"
}

make_site
config <<'EOF'
[action test]
phase = test
run = test ! -e bad
EOF
nothing=$(not_live)
push_file index.html one "first page"
is "what was pushed is live, and nothing is said" "$(not_live)" "$nothing"
unlike "for people neither" "$("$slipway" status -C "$repo")" 'not live'
first=$(head_of)
push_file bad x "a bad one"
bad=$(short)
is "after a failure it says what to do" "$(not_live)" \
    "main is at $bad (deploy 2, failed); slipway retry 2 -C $repo, or push what mends it"
slip status
is_exit "the exit status is that of what is live" 0
like "it is a line for people, too" "$out" \
    "^  not live      main is at $bad \(deploy 2, failed\)"
push_raw :main
like "git turns a push away that the gate lets in" "$err" "deletion of the current"
is "and that changes nothing" "$(not_live)" \
    "main is at $bad (deploy 2, failed); slipway retry 2 -C $repo, or push what mends it"
git -C "$work" rm -q bad
push_file index.html two "second page"
is "nothing is said when that is live" "$(not_live)" "$nothing"
slip rollback
is "after a rollback there is nothing to retry" "$(not_live)" \
    "main is at $(short) (deploy 3, retired); slipway deploy -C $repo makes it live"
push_file index.html three "third page -skip-"
is "what says -skip- is told as such" "$(not_live)" \
    "main is at $(short), which says -skip-; slipway deploy -C $repo makes it live"
git -C "$work" commit -q --amend -m "third page"
push -f -o skip main
is "and what an option did, too" "$(not_live)" \
    "main is at $(short), which was pushed with the option skip; slipway deploy -C $repo makes it live"
made=$(git -C "$repo" commit-tree -m "by hand" "$first^{tree}")
git -C "$repo" update-ref refs/heads/main "$made"
like "so is a commit that nobody pushed" "$(not_live)" \
    "for which no deploy was asked; slipway deploy -C $repo makes it live"
git -C "$repo" update-ref refs/heads/main "$(head_of)"

# Verbs that were misspelt make a ref; so does a branch in the config.
push main:deploy/now
like "a branch is no verb" "$banner" \
    'nothing was deployed; did you mean refs/deploy/now\?'
push main:refs/depoly/production/plna
like "nor is another ref" "$banner" \
    'did you mean refs/deploy/production/plan\?'
push main:topic/now main:deploy/feature main:v2
unlike "other names mean what they say" "$banner" 'did you mean'
sed -i 's/^branch = main/branch = mian/' "$repo/slipway.ini"
push main:other
like "a branch of the config that is not there is told to the pusher" \
    "$banner" 'production: there is no branch mian yet \(nearest: main\)'
is "and by status" "$(not_live)" \
    "there is no branch mian yet (nearest: main)"
sed -i 's/^branch = mian/branch = main/' "$repo/slipway.ini"

# Cancelled before anything was touched.
cat >> "$repo/slipway.ini" <<EOF
[action gate]
phase = build
run = touch $T/there; while ! test -e $T/go; do sleep 0.05; done
EOF
commit index.html four "fourth page"
git -C "$work" push -q production main 2> /dev/null &
started $!
ok "a deploy is under way" wait_for 10 test -e "$T/there"
is "and nothing is said" "$(not_live)" "$nothing"
slip cancel
wait
like "a cancelled one says who did it" "$(not_live)" \
    "\(deploy 5, cancelled by .*\); slipway retry 5 -C $repo"
touch "$T/go"

# The environment becomes transactional while the branch is ahead.
sed -i 's/^branch = main/&\ntransactional = yes/' "$repo/slipway.ini"
said="main is at $(short), but $(short "$first") is live"
run "$slipway" init "$repo"
like "init says that the branch is not what is live" "$out" \
    "^note: $said; slipway deploy -C $repo makes main live; "
is "so does status" "$(not_live)" \
    "$said; slipway deploy -C $repo makes main live; git push -f production $(short \
    "$first"):main takes it back"
cd "$repo" || exit
run "$slipway" status -C .
like "who is in its folder does not need its name" "$out" \
    '; slipway deploy makes main live; '
cd "$T" || exit
push -f "$(short "$first"):main"
is_exit "the push that it names is taken" 0
is "and takes the branch back" "$(git -C "$repo" rev-parse main)" "$first"
is "nothing more is said" "$(not_live)" "$nothing"
git -C "$repo" update-ref refs/heads/main "$(head_of)"
slip deploy
is_exit "the deploy that it names works" 0
is "and makes it live" "$(live_file index.html)" four
run "$slipway" init "$repo"
unlike "there is no note then" "$out" '^note'

# Where there are several environments, the command names one.
cat >> "$repo/slipway.ini" <<EOF
[environment staging]
branch = develop
root = $T/staging
EOF
run "$slipway" init "$repo"
like "the other one has no branch yet" "$out" \
    '^note: staging: there is no branch develop yet'
git -C "$repo" update-ref refs/heads/develop "$first"
run "$slipway" init "$repo"
like "when it has, nothing is live there" "$out" \
    "^note: staging: develop is at .*; slipway deploy -C $repo -e staging makes"

# A branch that was there is not one that is to come.
git config -f "$repo/config" receive.denyDeleteCurrent ignore
sed -i '/^transactional/d' "$repo/slipway.ini"
run "$slipway" init "$repo"
push :main
is_exit "the branch is deleted" 0
is "which is told" "$(not_live)" "there is no branch main any more"
push main:topic/again
like "to pushers, too" "$banner" 'production: there is no branch main any more'
for verb in plan deploy; do
	run "$slipway" "$verb" -C "$repo" -e production
	like "and by $verb" "$err" \
	    "main is not there any more; .*slipway $verb REV -C $repo -e production\$"
done

# A repository that is broken.
rm -r "$repo/refs" "$repo/HEAD"
run "$slipway" status -C "$repo"
is_exit "status works without the branch" 0
like "and says why it cannot tell" "$out" '^  not live .*repository'
done_testing
