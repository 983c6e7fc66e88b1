#!/bin/sh
# What was lost beside the repository: the journal, or the symlink. Each is
# told of, by status and by the doctor, with what to do; and that helps.

. "$(dirname "$0")/../lib.sh"

mkdir "$T/etc" "$T/bin"
printf '#!/bin/sh\nexit 1\n' > "$T/bin/apt-cache"
chmod +x "$T/bin/apt-cache"
export PATH="$T/bin:$PATH"
git config --global --unset gc.auto
make_site
config <<'EOF'
[action bad]
phase = build
directive = bad
run = exit 7

[action worse]
phase = verify
directive = worse
run = exit 8
EOF
push_file index.html one "first"
push_file index.html two "second"
two=$(current)

# told WHAT WORDS REMEDY: by the doctor as a fault of "current", by status.
told() {
	run "$slipway" doctor -C "$repo" --etc "$T/etc"
	is_exit "$1: the doctor" 1
	like "$1: is told" "$out" "^fault: $root/current: $2"
	like "$1: and what to do" "$(printf '%s\n' "$out" |
	    grep -A 1 "^fault: $root/current")" "^    $3"
	run "$slipway" status -C "$repo"
	is_exit "$1: status" 1
	like "$1: tells of it" "$out" "^  but  .*$2; $3"
	is "$1: and why it ends so, in short" "$err" \
	    "slipway: production: current does not point to what is live"
	run "$slipway" status -C "$repo" --json
	like "$1: as JSON" "$(printf '%s' "$out" | json 0.fault)" "$2; $3"
}

well() {
	run "$slipway" doctor -C "$repo" --etc "$T/etc"
	is_exit "$1: the doctor" 0
	is "$1: has nothing to say" "$(printf '%s' "$out" |
	    sed '/^note: .* as root$/,+1d')$err" "slipway: nothing is wrong"
	slip status
	is_exit "$1: status" 0
}

well "as it is"
run "$slipway" status -C "$repo" --json
is "as JSON, nothing" "$(printf '%s' "$out" | json 0.fault)" null

# The symlink is gone.
rm "$root/current"
run "$slipway" drift -C "$repo"
like "drift has nothing to look at, and says why" "$err" \
    "there is no current on local, and release $two is live: slipway resume \
-C $repo puts it back"
told "no symlink" 'is not there' "slipway resume -C $repo puts it back"
slip resume
is_exit "resume" 0
like "says what it did" "$out" \
    "current is not there, and release $two is live; put back"
is "it is back" "$(readlink "$root/current")" "releases/$two"
slip resume
is "once more it says nothing" "$out$err" ""
well "after resume"

# A release that is not whole does not come back; a deploy makes it anew.
rm "$root/current" "$root/releases/$two/index.html"
run "$slipway" resume -C "$repo"
is_exit "a release that has lost a file" 1
like "is not made live again" "$err" \
    "$two has lost index.html.*slipway deploy \
$(head_of | cut -c 1-7) -C $repo makes it anew"
not_ok "and is not" test -e "$root/current"
slip deploy
is_exit "a deploy" 0
is "makes it anew" "$(live_file index.html)" two
two=$(current)
rm -rf "${root:?}/current" "${root:?}/releases/$two"
told "no release either" \
    "is not there, nor is release $two, which the journal has live" \
    "slipway deploy [0-9a-f]{7} -C $repo makes it anew; if root was changed in slipway.ini, move"
slip deploy
is_exit "a deploy without either" 0
two=$(current)
well "after that"
rm -rf "${root:?}/releases/$two"
told "current leads nowhere" 'points to what is gone' \
    "slipway deploy [0-9a-f]{7} -C $repo makes it anew"
slip deploy
is_exit "a deploy then" 0
two=$(current)
well "after that, too"

# Somebody turned it.
old=$(find "$root/releases" -mindepth 1 -maxdepth 1 ! -name "$two" \
    -printf '%f\n' | head -n 1)
ln -sfn "releases/$old" "$root/current"
told "another release" "points to releases/$old" "slipway deploy [0-9a-f]{7} -C $repo turns it"
slip deploy
is_exit "a deploy turns it" 0
two=$(current)
ln -sfn "releases/$old" "$root/current"
commit index.html skipped "not now -skip-"
push_raw
like "nothing is said to stay live that is not" "$banner" \
    "not deployed; release $two should be live, and is not: current points \
to release $old; to deploy it all the same: "
git -C "$work" reset -q --hard HEAD~1
push --force main
like "nor to be live already" "$banner" \
    "$two should be live, and is not: .*; deploying [0-9a-f]{7} again\$"
is "it is deployed" "$(live_file index.html)" two
isnt "anew" "$(current)" "$two"
two=$(current)
run "$slipway" status -C "$repo"
is_exit "and all is well" 0
ln -sfn /tmp "$root/current"
told "elsewhere" 'points to /tmp, which is no release of this root' \
    "rm $root/current, then slipway resume -C $repo puts it back"
commit index.html three "third"
push_raw
like "a deploy fails" "$banner" "deploy [0-9]+ failed.*points to /tmp"
unlike "and does not say that anything is live" "$banner" \
    'is (still )?live'
like "but what should be" "$banner" \
    "live +not release $two, which should be: .*points to /tmp"
run "$slipway" init "$repo"
is_exit "init refuses it, too" 2
like "and says why" "$err" 'points to /tmp, which is no release.*move it away'
rm "$root/current"
slip resume
is_exit "what was said helps" 0
is "it is back" "$(current)" "$two"
slip deploy
is_exit "and the commit that failed goes live" 0
is "it does" "$(live_file index.html)" three
mkdir "$T/away"
mv "$root/current" "$T/away"
mkdir "$root/current"
told "a folder" 'is not a symlink' 'move it away, then slipway resume'
rmdir "$root/current"
slip resume
well "after all that"

# After a rollback the branch is not what is to be live again.
newer=$(current)
slip rollback
is "a rollback" "$(live_file index.html)" two
ln -sfn "releases/$newer" "$root/current"
run "$slipway" status -C "$repo"
run sh -c "$(printf '%s\n' "$out" |
    sed -n 's/.*; \(slipway deploy .*\) turns it$/\1/p')"
is_exit "what status says, typed" 0
is "does not undo it" "$(live_file index.html)" two
slip deploy
is_exit "the branch goes live when it is asked for" 0

# The journal is lost. Its deploys are not those of the new one.
commit index.html bad "fourth -bad-"
push_raw
like "one fails" "$banner" 'failed at build'
last=$(newest deploy)
live=$(current)
rm -f "$repo/slipway/journal.db" "$repo/slipway/journal.db-journal"
for verb in status log show deploy verify "audit export"; do
	# shellcheck disable=SC2086 # a command and its word
	run "$slipway" $verb -C "$repo"
	like "$verb sends to the doctor" "$err" "; slipway doctor -C $repo "
done
run "$slipway" doctor -C "$repo" --etc "$T/etc"
like "the doctor" "$out" "^fault: $repo/slipway/journal.db: "
like "advises init" "$out" \
    "without one, slipway init $repo makes a new one"
run "$slipway" init "$repo"
is_exit "init" 0
unlike "changes something" "$out" 'nothing was changed'
like "and says what" "$out" "^made a new journal, $repo/slipway/journal.db, \
which does not know what was deployed before; the next deploy is number \
$((last + 1))\$"
told "a release that the journal does not know" \
    "points to releases/$live, which the journal does not know" \
    "slipway deploy -C $repo makes a release that it knows"
run "$slipway" init "$repo"
unlike "once more it makes none" "$out" 'a new journal'
# The names that the next release might get are taken.
now=$(date -u +%s)
for i in 0 1 2 3 4 5; do
	mkdir -p "$root/releases/$(date -u -d "@$((now + i))" +%Y%m%d%H%M%S)"
done
commit index.html five "fifth"
push_raw
is_exit "the next push" 0
like "does what its commits ask for" "$banner" \
    "deploy $((last + 1)) failed at build"
unlike "and shows no log of another deploy" "$banner" 'is live$'
like "what is live is told" "$banner" \
    "nothing that the journal knows: current points to release $live"
is "visitors still have it" "$(current)" "$live"
sed -i 's/^run = exit 7$/run = true/' "$repo/slipway.ini"
run "$slipway" deploy -C "$repo" -d worse
is_exit "one that fails when it is live" 5
is "goes back to it" "$(current)" "$live"
sed -i 's/^run = exit 8$/run = true/' "$repo/slipway.ini"
slip deploy
is_exit "the next one" 0
is "is live" "$(live_file index.html)" five
is "with the next number" "$(newest deploy)" "$((last + 3))"
wait_for 10 idle
like "and a note" "$(git -C "$repo" log -1 --notes=deploys --format=%N main)" \
    "deploy $((last + 3)) by"
like "in a log of its own" "$out" "deploy +$((last + 3)),"
unlike "no way back is offered" "$out" 'slipway rollback'
slip rollback
is_exit "there is none" 1
like "which is said" "$err" 'no earlier release that the journal knows'
find "$root/releases" -mindepth 1 -maxdepth 1 -empty -delete
run "$slipway" status -C "$repo"
is_exit "status is content" 0

# Without logs, the refs are above.
rm "$repo/slipway/journal.db" "$repo"/slipway/log/*
run "$slipway" init "$repo"
like "the refs of old deploys count" "$out" \
    "the next deploy is number $((last + 4))"
done_testing
