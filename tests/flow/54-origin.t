#!/bin/sh
# Which refs an environment takes, and of which origin their commits are.

. "$(dirname "$0")/../lib.sh"

# refused WHAT WORDS ARGUMENT...: a push that is refused with these words.
refused() {
	what=$1 words=$2
	shift 2
	before=$(snapshot)
	push_raw "$@"
	isnt "$what: refused" "$status" 0
	like "$what: with reason and remedy" "$banner" "$words"
	is "$what: nothing has changed" "$(snapshot)" "$before"
}

# config_env: the config with these keys in [environment production].
config_env() {
	{
		printf '[app]\nroot = %s\n' "$root"
		printf '[environment production]\n'
		cat
	} > "$repo/slipway.ini"
}

make_site
config_env <<EOF
branch = main release/*
EOF
push_file index.html one "first"
is "main is deployed" "$(live_file index.html)" one
git -C "$work" checkout -q -b release/1.0
push_file index.html two "second" release/1.0
is "so is a branch that the pattern matches" "$(live_file index.html)" two
is "the journal knows which" "$(newest ref)" refs/heads/release/1.0
git -C "$work" branch -q feature
push feature
like "another one is stored" "$banner" \
    'feature is stored; no environment deploys it \(production deploys main, release/\*\)'
commit index.html three "third"
git -C "$work" branch -q release/1.1
push release/1.0 release/1.1
is_exit "two of them at once" 0
is "the newest is live" "$(live_file index.html)" three
git -C "$repo" symbolic-ref refs/heads/alias refs/heads/main
refused "another name of a branch" \
    'refs/heads/alias is another name of refs/heads/main here' release/1.0:alias
git -C "$repo" symbolic-ref -d refs/heads/alias
slip deploy
is_exit "no branch stands for all of them" 2
like "so one has to be named" "$err" 'production deploys main, release/\*: say'
slip deploy release/1.1
is_exit "as here" 0
slip status
is_exit "status has nothing to say against it" 0
push :release/1.1
is_exit "one can be deleted" 0
like "which changes nothing that is live" "$banner" \
    'branch release/1.1 was deleted; release [0-9]+ stays'
run "$slipway" init "$repo" --branch release/2.0
is_exit "init agrees with a branch that matches" 0
run "$slipway" init "$repo" --branch develop
is_exit "and with no other" 2

# Tags.
config_env <<EOF
tags = v*
EOF
git -C "$work" checkout -q main
git -C "$work" reset -q --hard release/1.0
push_file index.html four "fourth"
like "a branch is not deployed then" "$banner" \
    'branch main is stored; no environment deploys it \(production deploys tags v\*\)'
is "indeed" "$(live_file index.html)" three
git -C "$work" tag -a -m "version 1" v1.0
push v1.0
is_exit "a tag that matches is pushed" 0
is "and deployed" "$(live_file index.html)" four
is "the journal has its commit" "$(newest commit)" "$(head_of)"
is "and its name" "$(newest ref)" refs/tags/v1.0
git -C "$work" tag other
push other
like "another one is stored" "$banner" 'tag other is stored; no environment'
commit index.html five "fifth"
git -C "$work" tag v1.1
push v1.1
is "a plain tag will do, too" "$(live_file index.html)" five
push :v1.0
like "a tag can be deleted" "$banner" 'tag v1.0 was deleted; release [0-9]+ st'
git -C "$work" tag v1.1-again
push v1.1-again
like "a commit that is live already is not deployed again" "$banner" \
    "is live already, .*: git push REMOTE $(head_of | cut -c 1-7):refs/deploy/"
git -C "$work" tag vtree 'HEAD^{tree}'
refused "a tag of a tree" 'vtree does not point at a commit' vtree
slip rollback
is_exit "a rollback goes back to the tag before" 0
is "so it does" "$(live_file index.html)" four
like "status tells which tag that is" "$("$slipway" status -C "$repo")" \
    '^  of +tag v1.0$'
like "and the log, of each" "$("$slipway" log -C "$repo")" 'tag v1.1: fifth'
cat >> "$repo/slipway.ini" <<EOF
[environment single]
branch = solo
root = $T/single
EOF
push_raw HEAD:solo
is "and not where an environment has one branch" \
    "$("$slipway" log -C "$repo" -e single | sed 1d | sed 's/.*  //')" fifth
slip deploy -e production v1.1
is_exit "and a tag can be deployed again" 0
is "by its name" "$(newest ref)" refs/tags/v1.1
is "it is the other one" "$(live_file index.html)" five
config_env <<EOF
tags = v*
[action show]
phase = build
run = echo "ref=\$SLIPWAY_BRANCH."
EOF
commit index.html six-a "sixth, almost"
git -C "$work" tag v1.2-a
commit index.html six-b "sixth, all but"
git -C "$work" tag v1.2-b
commit index.html six "sixth"
git -C "$work" tag v1.2
push v1.2-a v1.2-b v1.2
is "of three tags one goes live" "$(live_file index.html)" six
is "which is shown once" "$(printf '%s\n' "$banner" |
    grep -c 'fetch  \|release [0-9]* is live')" 2
like "commands see which tag" "$banner" 'ref=v1.2\.'
sed -i '/^\[action/,$d' "$repo/slipway.ini"

# Several tags at once: what contains all the others, whatever its name.
git -C "$work" tag -d vtree v1.0 > /dev/null
commit index.html nine "ninth"
git -C "$work" tag v9.0
commit index.html ten "tenth"
git -C "$work" tag v10.0
commit index.html eleven "eleventh"
git -C "$work" tag v10.1
deploys=$(newest deploy)
push --tags
is_exit "several tags at once" 0
is "the newest is live" "$(live_file index.html)" eleven
is "by its name" "$(newest ref)" refs/tags/v10.1
is "by one deploy" "$(newest deploy)" $((deploys + 1))
like "which is told" "$banner" 'of 3 refs tag v10.1 is deployed, which contai'
git -C "$work" checkout -q -b v9 v9.0
commit other.html x "on another way"
git -C "$work" tag v9.1
git -C "$work" checkout -q main
commit index.html six "sixth again"
git -C "$work" tag v11.0
refused "tags of which none contains the others" \
    'of the 2 refs of this push .* none contains all others.*one by one' --tags
push v9.1
is "one by one they are deployed" "$(live_file other.html)" x
push v11.0
is "the last one is live" "$(live_file index.html)" six

# Forced pushes.
config_env <<EOF
branch = main
tags = v*
allow_force = no
EOF
push main
git -C "$work" reset -q --hard HEAD~1
commit index.html aside "on another way"
refused "a forced push" \
    'refs/heads/main is at [0-9a-f]{7}, which [0-9a-f]{7} does not contain.*allow_force.*merge' \
    --force main
refused "a deletion" 'refs/heads/main is deployed.*allow_force = no' :main
git -C "$work" tag -f v1.2 > /dev/null
refused "a tag that moves" 'refs/tags/v1.2 is at .*allow_force.*another name' \
    --force v1.2
push main:elsewhere
is_exit "other branches do what they like" 0
push --force main~3:elsewhere
is_exit "backwards, too" 0
config_env <<EOF
branch = main
tags = v*
EOF
push --force main
is_exit "by default it is told, and taken" 0
like "told" "$banner" 'refs/heads/main is forced'

# Where commits are from.
config_env <<EOF
branch = release/*
tags = v*
only_from = main
EOF
git -C "$work" checkout -q -b release/3
commit index.html seven "not on main"
refused "a commit that main does not have" \
    'refs/heads/release/3 is at [0-9a-f]{7}, which the branch main does not have.*merge' \
    release/3
git -C "$work" tag v3
refused "nor as a tag" 'refs/tags/v3 is at .* main does not have' v3
refused "nor by word" 'refs/deploy/now is at .* main does not have' \
    release/3:refs/deploy/now
git -C "$work" checkout -q main
git -C "$work" merge -q release/3
push main v3
is_exit "with main in the same push it is there" 0
is "and live" "$(live_file index.html)" seven
git -C "$repo" update-ref -d refs/heads/main
git -C "$work" tag v4
refused "without the branch there is nothing to take" \
    'there is no such branch yet; push it first' v4
push main
is_exit "it is back" 0

# The branch that comes along may be turned away, and then it is not there.
printf '#!/bin/sh\n[ "$1" != refs/heads/main ]\n' > "$repo/hooks/update"
chmod +x "$repo/hooks/update"
git -C "$work" checkout -q -b evil
commit index.html evil "never merged"
git -C "$work" tag v4.1
push evil:main v4.1
isnt "a push whose branch the update hook declines" "$status" 0
is "its tag is there" "$(git -C "$repo" rev-parse v4.1)" "$(head_of)"
is "and not live" "$(live_file index.html)" seven
like "which the pusher is told" "$banner" \
    'not deployed: production: refs/tags/v4.1 is at .* main does not have'
like "and the journal knows" "$(sql "SELECT state, reason FROM pushes
    ORDER BY id DESC LIMIT 1")" '^landed.production: refs/tags/v4.1 is at'
refused "by word it has to be there before" \
    'refs/deploy/now is at .* main does not have' evil:main evil:refs/deploy/now
rm "$repo/hooks/update"
config_env <<EOF
tags = v*
only_from = main
[environment staging]
branch = main
transactional = yes
root = $T/staging
[action test]
phase = test
environment = staging
run = ! grep -q evil index.html
EOF
run "$slipway" init "$repo"
git -C "$work" tag v4.2
push evil:main v4.2
isnt "a push whose branch fails its tests" "$status" 0
is "is not live by its tag" "$(live_file index.html)" seven
like "and told" "$banner" 'not deployed: production: refs/tags/v4.2 is at'
git -C "$work" checkout -q main

# Who signed a tag.
config_env <<EOF
tags = v*
signed_tags = yes
EOF
mkdir "$T/keys"
ssh-keygen -q -t ed25519 -N '' -C alice -f "$T/keys/alice"
ssh-keygen -q -t ed25519 -N '' -C mallory -f "$T/keys/mallory"
echo "alice@example.org $(cat "$T/keys/alice.pub")" > "$repo/signers"
git -C "$repo" config gpg.format ssh
git -C "$repo" config gpg.ssh.allowedSignersFile "$repo/signers"
git -C "$work" config gpg.format ssh
git -C "$work" config user.signingKey "$T/keys/alice.pub"
commit index.html eight "eighth"
git -C "$work" tag v5
refused "a plain tag" 'refs/tags/v5 is not a signed tag.*git tag -s' v5
git -C "$work" tag -f -a -m "five" v5 > /dev/null
refused "a tag without a signature" \
    'signature of refs/tags/v5 is not a good one.*sign it with a key' v5
git -C "$work" -c user.signingKey="$T/keys/mallory.pub" tag -f -s -m "five" v5 \
    > /dev/null
refused "a key that nobody knows" 'signature of refs/tags/v5 is not a good' v5
bad=$(git -C "$work" rev-parse v5)
git -C "$work" tag -s -m "five" good
git -C "$repo" fetch -q "$work" refs/tags/v5
git -C "$repo" fetch -q "$work" refs/tags/good
git -C "$repo" replace -f "$bad" "$(git -C "$work" rev-parse good)"
refused "nor does another tag in the place of it help" \
    'signature of refs/tags/v5 is not a good' v5
git -C "$repo" replace -d "$bad" > /dev/null
git -C "$repo" config --unset gpg.ssh.allowedSignersFile
refused "where no key is known, the administrator is told" \
    "the administrator of the server can say git -C $repo config gpg.ssh" v5
git -C "$repo" config gpg.ssh.allowedSignersFile "$repo/signers"
refused "not by word either" 'refs/deploy/now' v5:refs/deploy/now
refused "nor a commit" 'refs/deploy/now is not a signed tag' \
    main:refs/deploy/now
git -C "$work" tag -f -s -m "five" v5 > /dev/null
refused "a good one under another name" 'is signed as the tag v5; push it' \
    v5:refs/tags/v6
push v5
is_exit "a good signature" 0
is "is deployed" "$(live_file index.html)" eight

# What nobody deploys.
config_env <<EOF
branch = main
EOF
sed -i 's/^root/other_refs = refuse\nroot/' "$repo/slipway.ini"
refused "another branch" \
    'refs/heads/feature2 is deployed by no environment \(production deploys main\).*other_refs' \
    main main:feature2
push main :feature
is_exit "it can be deleted all the same" 0
done_testing
