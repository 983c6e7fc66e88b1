#!/bin/sh
# A transactional branch loses no commit unasked: what does not contain what
# is live is refused, or forced; and the same push once more joins the first.

. "$(dirname "$0")/../lib.sh"

branch() {
	git -C "$repo" rev-parse -q --verify refs/heads/main
}

short() {
	git -C "$work" rev-parse --short=7 "${1:-HEAD}"
}

deploys() {
	sql "SELECT count(*) FROM deploys"
}

# are STATE N: so many deploys are in that state.
are() {
	[ "$(sql "SELECT count(*) FROM deploys WHERE state = '$1'")" = "$2" ]
}

# begin OUTPUT COMMAND...: runs it until the gate is reached.
begin() {
	_output=$1
	shift
	rm -f "$T/at" "$T/go"
	"$@" > "$_output" 2>&1 &
	pid=$!
	started $pid
	ok "one is under way" wait_for 20 test -e "$T/at"
}

make_site --transactional
config <<EOF
transactional = yes

[action gate]
phase = build
run = touch "$T/at"; test ! -e hold || while ! test -e "$T/go"; do sleep 0.05; done

[action check]
phase = verify
run = test ! -e "$T/bad"
EOF

# A push fails, somebody else's goes live, and the first is tried again.
push_file index.html one "first page"
touch "$T/bad"
push_file index.html mine "mine"
is_exit "a push fails" 1
like "who pushed can push again" "$banner" \
    "again +git push \(the same commit\), or slipway retry 2 -C $repo"
mine=$(head_of)
rm "$T/bad"
git -C "$work" reset -q --hard HEAD~1
push_file index.html theirs "theirs"
is_exit "another one goes live" 0
theirs=$(head_of)
before=$(snapshot)
count=$(deploys)
slip retry 2
is_exit "a retry that would lose it is refused" 3
like "with what the branch is, and what can be done" "$err" \
    "main is at $(short "$theirs") \(deploy 3\), and $(short "$mine") does not contain it; merge it and push; or slipway rollback -C $repo goes back to an earlier release; to do it all the same: slipway retry -C $repo --force 2"
slip deploy "$mine"
is_exit "so is a deploy" 3
like "with its own words" "$err" "all the same: slipway deploy -C $repo --force $mine"
is "nothing was written" "$(deploys) $(snapshot)" "$count $before"

slip retry --force 2
is_exit "forced it is done" 0
is "the branch is there" "$(branch)" "$mine"
like "and it is said where it was" "$out" \
    "branch +main moved from $(short "$theirs") to $(short "$mine"), which does not contain it"
like "in the note, too" \
    "$(git -C "$repo" log -1 --notes=deploys --format=%N "$mine")" \
    "deploy 4 by .*; main moved from $(short "$theirs") to $(short "$mine")"
slip rollback
is "a rollback needs no force" "$status $(branch)" "0 $theirs"
slip rollback 1
like "and says that the branch moved back" "$out" \
    "branch +main moved back from $(short "$theirs") to $(short "$theirs~1")"
slip deploy "$theirs"
is_exit "forward it goes by itself" 0
unlike "and nothing is said of it" "$out" 'branch +main'

# What did not fail is not tried again.
live=$(newest deploy)
slip retry "$live"
is_exit "what is live is not retried" 3
like "with words" "$err" \
    "deploy $live did not fail, it is live; to have $(short "$theirs") again: slipway deploy $(short "$theirs")"
slip retry 1
like "nor what was live" "$err" 'deploy 1 did not fail, it was live; '

# While one is under way, the branch is not yet what it will be.
put hold x
commit index.html slow "slow"
begin "$T/slow" git -C "$work" push production main
slow=$(newest deploy)
"$slipway" deploy -C "$repo" --force "$mine" > "$T/hand" 2>&1 &
pid2=$!
started $pid2
ok "a forced one waits" wait_for 20 are queued 1
run "$slipway" retry -C "$repo" "$slow"
like "what has not ended is not retried" "$err" \
    "deploy $slow has not ended, it is preparing; see: slipway show --follow $slow"
touch "$T/go"
wait $pid
wait $pid2
forced=$?
check_invariants "after both"
is "force leaves behind what was there, and no more" "$forced" 1
like "in words" "$(cat "$T/hand")" \
    "main moved from $(short "$theirs") to $(short) while this request waited \(deploy $slow\); ask again for what it is now"
unlike "a retry is not spoken of, it would be refused" "$(cat "$T/hand")" \
    '^ *again'
is "what was under way is live" "$(branch)" "$(head_of)"

# A client is interrupted, and the same is pushed again.
commit index.html twice "twice"
begin "$T/first" git -C "$work" push production main
kill $pid
{ wait $pid; } 2>/dev/null
first=$(newest deploy)
git -C "$work" push production main > "$T/again" 2>&1 &
pid=$!
started $pid
ok "the same push joins it" wait_for 20 are superseded 1
touch "$T/go"
wait $pid
joined=$?
check_invariants "after the same push again"
is "and succeeds with it" "$joined" 0
like "which it is told" "$(cat "$T/again")" "your commit is in deploy $first"
like "and shown" "$(cat "$T/again")" 'production: release [0-9]* is live'
is "it is in the journal, too" "$(sql "SELECT state, superseded_by
    FROM deploys WHERE number = $first + 1")" "superseded|$first"
is "as a push that landed" "$(sql "SELECT p.state FROM pushes AS p
    JOIN deploys AS d ON d.push = p.id WHERE d.number = $first + 1")" landed
slip retry $((first + 1))
is_exit "one that was superseded is not retried" 3
like "but by what it says" "$err" \
    "deploy $((first + 1)) did not fail, it was superseded by $first, which went live; to have $(short) anyway: slipway deploy $(short)"

# The same, and the deploy fails: both are told so.
touch "$T/bad"
commit index.html thrice "thrice"
begin "$T/first" git -C "$work" push production main
first=$(newest deploy)
git -C "$work" push production main > "$T/again" 2>&1 &
pid2=$!
started $pid2
ok "another one joins" wait_for 20 are superseded 2
touch "$T/go"
wait $pid
failed=$?
wait $pid2
is "both fail" "$failed $?" "1 1"
check_invariants "after a failure of two"
like "in words" "$(cat "$T/again")" \
    "remote rejected.*deploy $first, which took its place, failed at verify"
slip retry $((first + 1))
like "the one that failed is to be retried" "$err" "slipway retry $first"

# Where git moves the branch, there is nothing to force.
config < /dev/null
run "$slipway" deploy -C "$repo" --force main
is_exit "force is refused elsewhere" 2
like "with words" "$err" 'production is not transactional: leave it out'
done_testing
