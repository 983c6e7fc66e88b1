#!/bin/sh
# A transactional branch is what is live: a push that fails moves nothing
# and says so, one that succeeds is live.

. "$(dirname "$0")/../lib.sh"

branch() {
	git -C "$repo" rev-parse -q --verify "refs/heads/${1:-main}"
}

pushes() {
	sql "SELECT state FROM pushes ORDER BY id DESC LIMIT 1"
}

building() {
	[ "$(sql "SELECT count(*) FROM steps WHERE state = 'running'")" = 1 ]
}

queued() {
	[ "$(sql "SELECT count(*) FROM deploys WHERE state = 'queued'")" = "$1" ]
}

# A second developer.
other_clone() {
	git clone -q "$repo" "$T/other" -o production -b main
	git -C "$T/other" config user.name Bob
}

# theirs ARGUMENT...: git in that clone.
theirs() {
	git -C "$T/other" "$@"
}

make_site --transactional
like "init tells git of the branch" \
    "$(git -C "$repo" config --get-all receive.procReceiveRefs)" \
    '^refs/heads/main$'
like "and writes it into slipway.ini" "$(cat "$repo/slipway.ini")" \
    '^transactional = yes$'
run "$slipway" init "$repo" --root "$root" --branch main --transactional
like "init once more changes nothing" "$out" 'nothing was changed'

config <<'EOF'
transactional = yes

[action gate]
phase = build
run = test ! -e hold || while ! test -e "$HOLD"; do sleep 0.05; done
env.HOLD = /nonexistent

[action updb]
phase = migrate
run = test ! -e bad || { echo broken; exit 3; }
undo = true
EOF
sed -i "s,/nonexistent,$T/go," "$repo/slipway.ini"

push_file index.html one "first page"
is_exit "the first push succeeds" 0
is "it is live" "$(live_file index.html)" one
is "the branch is there" "$(branch)" "$(head_of)"
is "the push has landed" "$(pushes)" landed
like "the whole deploy is shown" "$banner" 'production: release .* is live'
is "once" "$(printf '%s\n' "$banner" | grep -c 'is live')" 1
like "the reflog names the deploy" "$(git -C "$repo" reflog -1 main)" \
    'deploy 1$'
first=$(head_of)
live=$(current)

put bad x
before=$(snapshot | grep -v 'refs/slipway\|/failed')
push_file index.html two "a bad one"
is_exit "a push whose deploy fails, fails" 1
like "git tells why" "$err" "! \[remote rejected\] main -> main \(deploy 2 failed at migrate \(updb\), exit 3; release $live is live\)"
is "nothing has moved" "$(snapshot | grep -v 'refs/slipway\|/failed')" "$before"
is "the push has not landed" "$(pushes)" unlanded
push
like "the same commit is deployed again" "$err" 'deploy 3 failed at migrate'
git -C "$work" rm -q bad
push_file index.html three "repaired"
is_exit "a commit that repairs it goes live" 0
is "the branch follows" "$(branch)" "$(head_of)"
third=$(head_of)

# What the server shows to anybody.
git -C "$work" fetch -q production 'refs/notes/deploys:refs/notes/deploys'
like "ls-remote tells what is live" \
    "$(git -C "$work" ls-remote production 'refs/live/*')" "^$third"
like "and the note, when" \
    "$(git -C "$work" log -1 --notes=deploys --format=%N)" 'deploy 4 by'
is "a commit of a deploy that failed, too, with the one that worked" \
    "$(git -C "$work" log --notes=deploys --format=%N -1 HEAD~1 | cut -c 1-16)" \
    "production: live"

# Rollback, retry and deploy move it, too.
slip rollback
is_exit "a rollback succeeds" 0
is "the branch goes back with it" "$(branch)" "$first"
slip deploy "$third"
is "a deploy by hand moves it" "$(branch)" "$third"

# What git does not check for such a branch.
push :main
is_exit "it cannot be deleted" 1
like "with words" "$err" 'is what is live in production, and is not deleted'
git -C "$work" commit -q --allow-empty -m "not now -skip-"
push
is_exit "-skip- is refused" 1
like "because the branch cannot move without it" "$err" \
    '-skip- is not possible here: .*; push it without that word'
git -C "$work" reset -q --hard HEAD~1
git -C "$repo" config receive.denyNonFastForwards true
git -C "$work" reset -q --hard "$first"
commit index.html four "another history"
push --force main
is_exit "a forced push is refused where git would" 1
like "with git's word" "$err" 'non-fast-forward'
GIT_TRACE=1 push_raw --force main
is_exit "also where git tells what it does" 1
isnt "the branch is where it was" "$(branch)" "$(head_of)"
git -C "$repo" config --unset receive.denyNonFastForwards
cp "$repo/config" "$T/config"
printf '[receive]\n\tdenyNonFastForwards\n' >> "$repo/config"
push --force main
is_exit "a key without a value is true, as for git" 1
cp "$T/config" "$repo/config"
git -C "$repo" config receive.denyNonFastForwards 2
push --force main
is_exit "and so is a number" 1
cp "$T/config" "$repo/config"
push --receive-pack='git -c receive.denyNonFastForwards receive-pack' \
    --force main
is_exit "it may come from the command line" 1
like "with git's word, too" "$err" 'non-fast-forward'
on="GIT_CONFIG_KEY_0=receive.denyNonFastForwards GIT_CONFIG_VALUE_0=on"
push --receive-pack="env GIT_CONFIG_COUNT=1 $on git receive-pack" \
    --force main
is_exit "or from the environment" 1
git -C "$repo" config receive.denyNonFastForwards off
push --force main
is_exit "and is deployed otherwise" 0
git -C "$repo" config --unset receive.denyNonFastForwards
is "as the others" "$(branch)" "$(head_of)"
cat > "$repo/hooks/update" <<EOF
#!/bin/sh
echo "update \$*"
echo "\$*" >> "$T/update"
test ! -e "$T/no"
EOF
chmod +x "$repo/hooks/update"
push_file index.html five five
is_exit "the update hook may pass it" 0
is "it is told what git would tell" "$(cat "$T/update")" \
    "refs/heads/main $(head_of HEAD~1) $(head_of)"
like "its words reach the pusher" "$banner" '^update refs/heads/main'
touch "$T/no"
push_file index.html six six
like "or not" "$err" 'remote rejected\] main -> main \(hook declined\)'
rm "$T/no"

# Several refs at once; other branches are git's own business.
git -C "$work" tag v1
push main v1 main:refs/heads/topic
is_exit "a push of several refs" 0
is "the other branch is stored" "$(branch topic)" "$(head_of)"
like "and told about" "$banner" 'branch topic is stored'
push --atomic main:refs/heads/topic HEAD~1:refs/heads/old
is_exit "an atomic push without it" 0
rm "$repo/hooks/update"
commit index.html seven seven
git -C "$repo" config receive.denyNonFastForwards true
push --atomic main +HEAD~3:refs/heads/topic
git -C "$repo" config --unset receive.denyNonFastForwards
is_exit "an atomic push with it is refused" 1
like "with words" "$err" \
    'main -> main \(git may refuse the others when this is live: push without --atomic\)'
isnt "before it is live" "$(branch)" "$(head_of)"
push --atomic main
is_exit "but for one with it alone" 0
is "which is live" "$(live_file index.html)" seven
put bad x
commit index.html bad "bad again"
push main main:refs/heads/topic
is_exit "when it fails the others land" 1
is "each by itself" "$(branch topic)" "$(head_of)"
is "so the push did" "$(pushes)" landed
git -C "$work" reset -q --hard HEAD~1

# Two at once. While one is deployed, another history waits its turn.
other_clone
put hold x
commit index.html eight "eight waits"
git -C "$work" push -q production main > /dev/null 2>&1 &
pid=$!
started $pid
ok "one is under way" wait_for 20 building
echo nine > "$T/other/nine"
theirs add nine
theirs commit -q -m "nine diverges"
theirs push production main > "$T/nine" 2>&1 &
pid2=$!
started $pid2
ok "the other waits" wait_for 20 queued 1
touch "$T/go"
wait $pid
wait $pid2
check_invariants "after two at once"
is "the first one is live" "$(live_file index.html)" eight
like "the other is told what came first" "$(cat "$T/nine")" \
    'main moved from [0-9a-f]{7} to [0-9a-f]{7} while this push waited \(deploy [0-9]+\); fetch, merge and push again'
like "and is rejected" "$(cat "$T/nine")" 'remote rejected'
theirs pull -q --no-edit --no-rebase production main
run theirs push production main
is_exit "what it merges goes live" 0
check_invariants "after the merge"

# One that waits goes into a newer one that contains it.
rm "$T/go"
git -C "$work" pull -q production main
push_raw main:main > /dev/null
put hold y
commit index.html ten "ten is under way"
git -C "$work" push -q production main > /dev/null 2>&1 &
pid=$!
started $pid
ok "and is under way" wait_for 20 building
theirs fetch -q "$work" main
theirs reset -q --hard FETCH_HEAD
theirs commit -q --allow-empty -m "eleven waits"
theirs push production main > "$T/eleven" 2>&1 &
pid2=$!
started $pid2
ok "eleven waits" wait_for 20 queued 1
git clone -q "$T/other" "$T/third" -o other
git -C "$T/third" commit -q --allow-empty -m "twelve has it"
git -C "$T/third" push "$repo" main > "$T/twelve" 2>&1 &
pid3=$!
started $pid3
ok "twelve, too" wait_for 20 queued 2
touch "$T/go"
wait $pid
wait $pid2
eleven=$?
wait $pid3
check_invariants "after three at once"
is "eleven is a success" "$eleven" 0
like "which says where it is" "$(cat "$T/eleven")" \
    'your commit is in deploy [0-9]+'
unlike "and git finds nothing wrong" "$(cat "$T/eleven")" '^error'
is "what it knows of the server is what it pushed" \
    "$(theirs rev-parse production/main)" "$(theirs rev-parse main)"
is "one deploy served both" \
    "$(sql "SELECT count(*) FROM deploys WHERE state = 'superseded'")" 1
is "twelve is live" "$(branch)" "$(git -C "$T/third" rev-parse HEAD)"
rm "$T/go"

# What waits outlives git gc, and a word by hand does not take a push back.
git -C "$work" pull -q production main
put hold g
commit index.html gc "gc is under way"
seen=$(branch)
git -C "$work" push -q production main > /dev/null 2>&1 &
pid=$!
started $pid
ok "and is under way" wait_for 20 building
theirs pull -q --rebase "$work" main
theirs commit -q --allow-empty -m "waits, held by no branch"
theirs push production main > "$T/kept" 2>&1 &
pid3=$!
started $pid3
ok "a push waits" wait_for 20 queued 1
"$slipway" deploy -C "$repo" main > "$T/hand" 2>&1 &
pid2=$!
started $pid2
ok "a deploy by hand, too" wait_for 20 queued 2
git -C "$repo" gc -q --prune=now
touch "$T/go"
wait $pid
wait $pid3
kept=$?
wait $pid2
by_hand=$?
check_invariants "after git gc and a deploy by hand"
is "what waited is live" "$kept $(branch)" "0 $(theirs rev-parse main)"
is "the deploy by hand fails" "$by_hand" 1
like "in words" "$(cat "$T/hand")" \
    "main moved from $(echo "$seen" | cut -c 1-7) to $(branch | cut -c 1-7) while this request waited \(deploy [0-9]+\); ask again for what it is now; to do it all the same: slipway deploy --force"
tip=$(branch)
slip deploy --force "$seen"
is "forced, it takes the branch back" "$(branch)" "$seen"
slip deploy "$tip"
is "and forward again without" "$(branch)" "$tip"
rm "$T/go"

# A client that goes away changes nothing.
git -C "$work" pull -q production main
git -C "$work" rm -q hold
push_file index.html twelve "before the lost one"
put hold z
commit index.html thirteen "lost"
git -C "$work" push production main > /dev/null 2>&1 &
pid=$!
started $pid
ok "and is under way" wait_for 20 building
kill -9 $pid
touch "$T/go"
gone_live() {
	[ "$(branch)" = "$(head_of)" ]
}
ok "a lost client's deploy goes live" wait_for 20 gone_live
check_invariants "after a lost client"

# Somebody moves the branch by hand while the deploy is under way.
sed -i '/^\[action updb/i [action meddle]\nphase = clear\ndirective = meddle\nrun = git -C '"$repo"' update-ref refs/heads/main '"$first"'\n' \
    "$repo/slipway.ini"
live=$(current)
before=$(branch)
commit index.html meddled "meddled with -meddle-"
push_raw main
is_exit "a branch that is not what it was is not moved" 1
like "and it is said" "$err" \
    'deploy [0-9]+ failed: refs/heads/main is at [0-9a-f]{7}, not at [0-9a-f]{7}: somebody else has moved it'
is "the release is taken back" "$(current)" "$live"
git -C "$repo" update-ref refs/heads/main "$before"
check_invariants "after it is where it was"
git -C "$work" reset -q --hard HEAD~1

# Another name of it is no way around its deploy.
git -C "$repo" symbolic-ref refs/heads/alias refs/heads/main
before=$(branch)
commit index.html aliased "by another name"
push main:alias
is_exit "a symbolic ref to it is not pushed to" 1
like "in words" "$banner" \
    'refs/heads/alias is another name of refs/heads/main here'
is "it has not moved" "$(branch)" "$before"
git -C "$repo" symbolic-ref -d refs/heads/alias
git -C "$work" reset -q --hard HEAD~1

# Another branch stands where it would have to be.
before=$(branch)
git -C "$repo" update-ref -d refs/heads/main
git -C "$repo" update-ref refs/heads/main/x "$before"
git -C "$repo" pack-refs --all
push_raw main
like "a branch that cannot be is told of" "$err" \
    'refs/heads/main cannot be made while there is refs/heads/main/x; delete one of them'
is "before anything was touched" "$(newest state)" failed
git -C "$repo" update-ref -d refs/heads/main/x
git -C "$repo" update-ref refs/heads/main "$before"
check_invariants "after it can be again"

# git that was not told.
git -C "$repo" config --unset-all receive.procReceiveRefs
git -C "$work" rm -q hold
push_file index.html fourteen fourteen
is_exit "the gate does not let git move it" 1
like "and says what to run" "$banner" "slipway init $repo"
run "$slipway" init "$repo"
push
is_exit "then it works" 0
git -C "$repo" symbolic-ref HEAD refs/heads/main

# What cannot be gone back to takes the branch back when it is deployed.
gone=$(sql "SELECT name FROM releases WHERE state = 'removed'
    ORDER BY id LIMIT 1")
slip rollback "$gone"
command=$(printf '%s\n' "$err" | sed -n 's/.* deploy its commit: //p')
like "which is forced" "$command" '^slipway deploy --force [0-9a-f]{7} '
eval "run $command"
is_exit "as it stands" 0
is "and moves it" "$(branch)" \
    "$(sql "SELECT commit_oid FROM releases WHERE name = '$gone'")"

# Somebody has the journal open when "live" is all that is left to write: a
# ref that is locked keeps the runner from that until it is.
config <<EOF
transactional = yes

[action check]
phase = verify
run = touch $repo/refs/heads/main.lock
EOF
checked() {
	[ "$(sql "SELECT state FROM steps WHERE phase = 'verify' AND
	    deploy = (SELECT max(number) FROM deploys)")" = "done" ]
}
commit index.html locked locked
git -C "$work" push -q production main > "$T/push.out" 2>&1 &
pid=$!
started "$pid"
ok "its last step is over" wait_for 30 checked
{
	echo 'BEGIN IMMEDIATE; SELECT 1;'
	until test -e "$T/free"; do sleep 0.05; done
} | sqlite3 "$repo/slipway/journal.db" > "$T/held" 2>&1 &
started "$!"
ok "the journal is locked" wait_for 15 test -s "$T/held"
n=$(newest deploy)
is "before it is live" "$(deploy "$n" state)" activating
ok "it is waited for" wait_for 60 grep -q 'deploy waits to write' \
    "$repo/slipway/log/$n.jsonl"
touch "$T/free"
ok "until the push succeeds" wait "$pid"
check_invariants "after the journal was locked at the end"
is "with the deploy live, and not taken back" "$(deploy "$n" state)" live
is "and the branch there" "$(branch)" "$(head_of)"

# By hand a commit may be named by another ref, which stays where it is.
config <<EOF
transactional = yes

[action bad]
phase = verify
run = test ! -e $T/bad
EOF
git -C "$work" checkout -q -b feature
commit index.html feature "a feature"
git -C "$work" tag -a -m nine v9
git -C "$work" push -q production feature v9 2> /dev/null
refs() {
	git -C "$repo" rev-parse refs/heads/main refs/heads/feature \
	    "refs/tags/v9^{}" | paste -s -d ' '
}
main=$(branch)
touch "$T/bad"
for name in feature v9; do
	slip deploy "$name"
	is_exit "a deploy of $name that fails" 5
	is "moves nothing" "$(refs)" "$main $(head_of) $(head_of)"
done
rm "$T/bad"
slip deploy feature
is_exit "one that does not" 0
is "moves the branch of the environment" "$(refs)" \
    "$(head_of) $(head_of) $(head_of)"
slip rollback
is "which goes back" "$(branch)" "$main"
slip deploy v9
is_exit "by a tag, too" 0
is "it moves it" "$(branch)" "$(head_of)"
git -C "$work" checkout -q main
git -C "$work" merge -q feature

# Switched off again.
config <<'EOF'
EOF
run "$slipway" init "$repo"
like "init takes the branch from the list" "$out" \
    'removed receive.procReceiveRefs = refs/heads/main'
git -C "$repo" config --add receive.procReceiveRefs refs/heads/main
push_file index.html fifteen fifteen
is_exit "a ref that is no longer ours is given back to git" 0
is "which moves it" "$(branch)" "$(head_of)"
is "and deploys it" "$(live_file index.html)" fifteen

# Two environments on one branch.
config <<EOF
transactional = yes

[environment staging]
branch = main
root = $T/staging
EOF
run "$slipway" status -C "$repo"
is_exit "a transactional branch has one environment" 2
like "says the config" "$err" \
    'slipway.ini:[0-9]+: .*the same branch as .environment production'
done_testing
