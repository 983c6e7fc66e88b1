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
done_testing
