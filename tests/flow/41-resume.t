#!/bin/sh
# What a dead receive-pack, a dead runner or a power cut left is brought to
# an end: by the next push, by a runner, or by slipway resume.

. "$(dirname "$0")/../lib.sh"

make_site
config_trace <<EOF
[environment staging]
branch = main
root = $T/staging

[environment preview]
branch = preview
tags = v*
root = $T/preview

[action gate]
phase = build
directive = gate
environment = production
run = touch $T/ready; until test -e $T/go; do sleep 0.05; done

[action note]
phase = clear
directive = note
environment = production
run = echo "note \$(cat version)" >> "\$TRACE"
EOF
add_site staging "$T/staging"
add_site preview "$T/preview"
"$slipway" init "$repo" > "$T/init" 2>&1 || diag "$(cat "$T/init")"

# lose HOOK: from now on it ends its receive-pack, and itself.
lose() {
	mv "$repo/hooks/$1" "$T/kept"
	printf '#!/bin/sh\nkill -9 $PPID $$\n' > "$repo/hooks/$1"
	chmod +x "$repo/hooks/$1"
}

# lost_push [ARGUMENT...]: its ref moves, and nobody asks for a deploy.
lost_push() {
	lose post-receive
	push_raw "$@"
	mv "$T/kept" "$repo/hooks/post-receive"
}

pushes() {
	sql "SELECT state FROM pushes ORDER BY id" | paste -s -d ,
}

count() {
	sql "SELECT count(*) FROM deploys WHERE environment = '$1'"
}

push_file version one "one"
is "the first push has landed" "$(pushes)" landed

# The ref has moved, and nothing was asked for.
commit version two "two -note-"
lost_push -o note main
isnt "a push whose receive-pack is killed fails" "$status" 0
is "its ref has moved" "$(git -C "$repo" rev-parse main)" "$(head_of)"
is "nothing was asked for" "$(count production)" 1
is "nobody knows what became of it" "$(pushes)" landed,received
run "$slipway" runner -C "$repo" -e production
is_exit "the next runner" 0
check_invariants "after a push that was lost"
is "deploys it" "$(live_file version)" two
is "in every environment of the branch" "$(cat "$T/staging/current/version")" \
    two
is "with what it asked for" "$(trace)" "note two"
is "it has landed" "$(pushes)" landed,landed
is "the deploy is the push's" "$(newest pusher)" "$(deploy 1 pusher)"

# The next push finds it, and finishes it first.
commit version three "three -note-"
lost_push main
run "$slipway" status -C "$repo"
is_exit "status ends with 1" 1
like "status tells of it" "$out" \
    "left +push 3 by .* moved branch main to $(head_of | cut -c1-7), and no deploy"
like "and what to do" "$err" "slipway resume -C $repo"
run "$slipway" status -C "$repo" -e preview
is_exit "an environment with another branch is level" 0
run "$slipway" status -C "$repo" --json
like "as JSON" "$(printf '%s' "$out" | json 0.left)" 'push 3 by '
git -C "$work" checkout -q -b preview
commit version preview "a preview"
push preview
git -C "$work" checkout -q main
is "a push of another branch finishes it" "$(live_file version)" three
is "and is deployed itself" "$(cat "$T/preview/current/version")" preview
is "all have landed" "$(pushes)" landed,landed,landed,landed
slip status
is_exit "status is content" 0

# Several were lost: all their commits, the newest is live.
commit version four "four -note-"
lost_push main
commit version five "five"
lost_push main
: > "$T/trace"
slip resume -e production
is_exit "slipway resume" 0
like "shows the deploy" "$out" 'release .* is live'
is "the newest is live" "$(live_file version)" five
is "what the older one asked for was done" "$(trace)" "note five"
is "each has its deploy" "$(sql "SELECT state FROM deploys
    WHERE environment = 'production' AND push IN (5, 6)
    ORDER BY number" | paste -s -d ,)" superseded,live
slip resume
is_exit "once more" 0
is "says nothing" "$out$err" ""

# The pusher did the same again, as one does.
commit version six "six"
lose pre-receive
push_raw main
mv "$T/kept" "$repo/hooks/pre-receive"
isnt "a push that dies before its gate" "$status" 0
is "is not known" "$(sql 'SELECT count(*) FROM pushes')" 6
printf '#!/bin/sh\nkill -9 $PPID\nexit 1\n' \
    > "$repo/hooks/pre-receive.before-slipway"
chmod +x "$repo/hooks/pre-receive.before-slipway"
push_raw main
printf '#!/bin/sh\ncat > /dev/null\n' \
    > "$repo/hooks/pre-receive.before-slipway"
isnt "one that dies in it" "$status" 0
run "$slipway" status -C "$repo"
is_exit "leaves nothing to be done" 0
push main
is_exit "the same again" 0
is "is live" "$(live_file version)" six
is "and was asked for once" "$(sql "SELECT count(*) FROM deploys
    WHERE environment = 'production' AND commit_oid = '$(head_of)'")" 1

# What git turned away did not land.
git -C "$repo" config receive.denyNonFastForwards true
git -C "$work" checkout -q -b other HEAD~1
commit version seven "seven"
push_raw --force other:main
isnt "a push that git turns away" "$status" 0
slip resume
is_exit "is nothing to be done" 0
is "says nothing" "$out$err" ""
is "and has not landed" "$(sql "SELECT state FROM pushes
    ORDER BY id DESC LIMIT 1")" unlanded
like "for a reason" "$(sql "SELECT reason FROM pushes
    ORDER BY id DESC LIMIT 1")" 'no ref moved'
git -C "$repo" config --unset receive.denyNonFastForwards
hook="$repo/hooks/update"
printf '#!/bin/sh\nexit 1\n' > "$hook"
chmod +x "$hook"
push_raw -o wipe --force other:main
isnt "a push that a hook turns away" "$status" 0
rm "$hook"
git -C "$repo" update-ref refs/heads/main "$(head_of other)"
n=$(count production)
slip resume
is "is not deployed when somebody moves the branch there" \
    "$(count production)" "$n"
git -C "$repo" update-ref refs/heads/main "$(head_of main)"
git -C "$work" checkout -q main

# Skipped, and deleted: landed, and nothing is deployed.
commit version eight "eight -skip-"
lost_push main
lost_push :preview
run "$slipway" status -C "$repo"
is_exit "nothing is missing" 0
n=$(count production)
slip resume
is_exit "resume has nothing to show" 0
is "nothing was asked for" "$(count production)" "$n"
is "both have landed" "$(sql "SELECT state FROM (SELECT id, state
    FROM pushes ORDER BY id DESC LIMIT 2)" | paste -s -d ,)" landed,landed

# Two at once ask once.
commit version nine "nine -note-"
lost_push main
: > "$T/trace"
"$slipway" resume -C "$repo" > "$T/one" 2>&1 < /dev/null &
one=$!
"$slipway" resume -C "$repo" > "$T/two" 2>&1 < /dev/null &
two=$!
started "$one" "$two"
ok "one resume" wait "$one"
ok "another at once" wait "$two"
check_invariants "after two"
is "it is deployed" "$(live_file version)" nine
is "once" "$(trace)" "note nine"
is "and asked for once" "$(sql "SELECT count(*) FROM deploys
    WHERE environment = 'production' AND commit_oid = '$(head_of)'")" 1

# A runner that is killed with work left.
commit version ten "ten -gate-"
rm -f "$T/ready" "$T/go"
setsid git -C "$work" push production main > "$T/push" 2>&1 < /dev/null &
pid=$!
started "$pid"
ok "a deploy holds" wait_for 15 test -e "$T/ready"
commit version eleven "eleven"
setsid git -C "$work" push production main > "$T/push2" 2>&1 < /dev/null &
pid2=$!
started "$pid2"
waits() {
	sql "SELECT count(*) FROM deploys WHERE state = 'queued'" | grep -q 1
}
ok "another one waits" wait_for 15 waits
run "$slipway" status -C "$repo"
is_exit "status of a deploy under way" 0
kill -9 "-$pid" "-$pid2"
for p in $(program runner); do
	kill -9 "$p"
done
wait_for 10 idle || diag "something is left: $(slipway_processes)"
run "$slipway" status -C "$repo" -e production
is_exit "status of one whose runner died" 1
like "tells of it" "$out" 'left +deploy [0-9]+ is preparing and not finished'
like "and what to do" "$err" 'slipway resume'
touch "$T/go"
run env -i "$slipway" resume -C "$repo"
check_invariants "after slipway resume"
is_exit "resume ends as the one that was interrupted" 1
like "shows it" "$out" 'interrupted before anything of the live site'
is "what waited is live" "$(live_file version)" eleven
slip status
is_exit "status is content" 0

# One that cannot be finished is in the way of no other.
git -C "$work" checkout -q preview
commit version gone "gone"
git -C "$work" tag -a -m "tag" v1
lost_push v1
gone=$repo/objects/$(head_of v1 | sed 's/^../&\//')
git -C "$work" checkout -q main
commit version twelve "twelve"
lost_push main
mv "$gone" "$T/gone"
run "$slipway" resume -C "$repo"
isnt "a push whose objects are gone is told of" "$status" 0
like "as such" "$err" 'finish what lost pushes left: '
is "the one behind it is live" "$(live_file version)" twelve
run "$slipway" deploy -C "$repo" -e production main~1
is_exit "a deploy by word does not wait for it" 0
like "and tells what may come after it" "$err" \
    'warning: finish what lost pushes left: .*goes live over what is asked'
is "it is live" "$(live_file version)" eleven
run "$slipway" deploy -C "$repo" -e production main
mv "$T/gone" "$gone"
slip resume
is_exit "when they are back" 0
is "it is live, too" "$(cat "$T/preview/current/version")" gone

# What is asked for by word is newer than a push that was lost before it.
commit version thirteen "thirteen"
lost_push main
slip rollback -e production
is_exit "a rollback behind a lost push" 0
ok "all is done" wait_for 15 idle
is "goes back from what was pushed" "$(live_file version)" twelve
is "which came first" \
    "$(sql "SELECT kind FROM deploys WHERE environment = 'production'
    ORDER BY number DESC LIMIT 2" | paste -s -d ,)" rollback,deploy
commit version fourteen "fourteen"
lost_push main
slip deploy -e production main~2
is_exit "a deploy behind one" 0
ok "all is done then" wait_for 15 idle
is "is what is live" "$(live_file version)" twelve
commit version fifteen "fifteen"
lost_push main
push main~2:refs/deploy/production/now
is_exit "the word now behind one" 0
ok "all is done, too" wait_for 15 idle
is "is what is live then" "$(live_file version)" thirteen
is "elsewhere the branch is" "$(cat "$T/staging/current/version")" fifteen

run "$slipway" resume -C "$repo" -e bogus
is_exit "an environment that is not there" 2

# Nor is one that is busy, which is the first of them.
for name in production preview; do
	git -C "$repo" update-ref -d "refs/live/$name"
done
flock -o "$repo/slipway/production.lock" sleep 60 &
started $!
wait_for 10 sh -c '! flock -n "$1" true' sh "$repo/slipway/production.lock"
run "$slipway" resume -C "$repo"
is_exit "one that is busy is told of" 4
ok "the next one is level" git -C "$repo" rev-parse -q --verify \
    refs/live/preview
kill $!
wait_for 10 flock -n "$repo/slipway/production.lock" true
slip resume
is_exit "when it is free" 0

# A lock that git had renamed, and that a power cut has brought back.
push_file version sixteen "sixteen"
echo "$(head_of)" > "$repo/refs/heads/main.lock"
touch -d '1 minute ago' "$repo/refs/heads/main.lock"
slip resume
not_ok "is removed" test -e "$repo/refs/heads/main.lock"

# A push whose ref is on the disk, and the last line of its log is not.
commit version seventeen "seventeen"
lost_push main
sed -i '$d' "$repo/logs/refs/heads/main"
slip resume
is "is one that moved it" "$(live_file version)" seventeen
done_testing
