#!/bin/sh
# slipway.ini is that of the moment when a deploy begins.

. "$(dirname "$0")/../lib.sh"
make_site
config_trace <<EOF
[action wait]
phase = build
directive = wait
run = touch $T/ready; until test -e $T/go; do sleep 0.05; done

[action tell]
phase = clear
run = echo old >> "\$TRACE"
EOF

# held MESSAGE: a deploy is under way, until $T/go is there.
held() {
	rm -f "$T/ready" "$T/go"
	commit index.html "$1" "$1 -wait-"
	git -C "$work" push -q production main > "$T/first" 2>&1 &
	first=$!
	wait_for 20 test -e "$T/ready"
}

ok "a deploy is under way" held one
commit index.html two "two -late-"
git -C "$work" push production main > "$T/second" 2>&1 &
second=$!
ok "another one waits" wait_for 20 grep -q 'waits: deploy 1' "$T/second"
cat >> "$repo/slipway.ini" <<'EOF'

[action late]
phase = clear
directive = late
run = echo late >> "$TRACE"
EOF
sed -i 's/echo old/echo new/' "$repo/slipway.ini"
touch "$T/go"
wait "$first" "$second"
check_invariants "after two deploys"
is "the first goes by what it began with, the other by what there is then" \
    "$(trace | paste -s -d ' ')" "old new late"
is "it is live" "$(live_file index.html)" two
unlike "and nothing in it is unknown" "$(cat "$T/second")" 'no action takes'

# One that is wrong by then deploys nothing.
: > "$T/trace"
ok "one more is under way" held three
commit index.html four four
git -C "$work" push production main > "$T/second" 2>&1 &
second=$!
ok "and another one waits" wait_for 20 grep -q 'waits: deploy 3' "$T/second"
cp "$repo/slipway.ini" "$T/good.ini"
echo 'garbage = here' >> "$repo/slipway.ini"
touch "$T/go"
wait "$first"
wait "$second"
like "who waits is told why" "$(cat "$T/second")" \
    "slipway.ini:[0-9]*: unknown key 'garbage'"
is "what waits goes on waiting" \
    "$(sql 'SELECT state FROM deploys WHERE number = 4')" queued
is "and what was under way is live" "$(live_file index.html)" three
cp "$T/good.ini" "$repo/slipway.ini"
slip resume
is_exit "once it is mended" 0
is "it goes live" "$(live_file index.html)" four

# How git was answered does not change: a branch is not moved unasked, and
# none is said to have moved that was not.
live=$(head_of)
sed -i '/^\[app\]/a transactional = yes' "$repo/slipway.ini"
run "$slipway" init "$repo"
git -C "$work" push -q production main:refs/heads/develop 2> /dev/null

# changed NAME SED: a push while whose waiting slipway.ini is changed.
changed() {
	n=$(newest deploy)
	held "$1 holds"
	held=$(head_of)
	commit index.html "$1" "$1"
	git -C "$work" push production main > "$T/second" 2>&1 &
	second=$!
	wait_for 20 grep -q "waits: deploy $((n + 1))" "$T/second"
	sed "$2" "$repo/slipway.ini" > "$T/new.ini"
	cp "$T/new.ini" "$repo/slipway.ini"
	touch "$T/go"
	wait "$first"
	wait "$second"
}
changed elsewhere 's/^branch = main/branch = develop/'
is "where the branch is another one, the push fails" "$?" 1
like "and says so" "$(cat "$T/second")" \
    'remote rejected.*while this push waited, slipway.ini was changed: the branch of production is develop'
is "that one stays" "$(git -C "$repo" rev-parse develop)" "$live"
is "and so does the one that was pushed" \
    "$(git -C "$repo" rev-parse main)" "$held"
sed -i 's/^branch = develop/branch = main/' "$repo/slipway.ini"

changed freely 's/^transactional = yes/transactional = no/'
is "where git moves it now, the push fails, too" "$?" 1
like "with words" "$(cat "$T/second")" \
    'remote rejected.*production is not transactional any more; push again'
is "as the branch has not moved" "$(git -C "$repo" rev-parse main)" "$held"
is "nor what is live" "$(live_file index.html)" "freely holds"
push
is "to push again helps" "$(live_file index.html)" freely
is "and moves it" "$(git -C "$repo" rev-parse main)" "$(head_of)"
done_testing
