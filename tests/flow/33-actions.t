#!/bin/sh
# The keys of an action, one by one.

. "$(dirname "$0")/../lib.sh"

make_site
mkdir "$T/staging"
echo before > "$T/state"
actions() {
	printf 'env.STATE = %s\n' "$T/state"
	cat <<'EOT'
[host box]
roles = web db

[action who]
phase = build
run = echo "who $SLIPWAY_HOST [$SLIPWAY_ROLES]" >> "$TRACE"

[action db]
phase = build
role = db
once = yes
run = echo db >> "$TRACE"

[action here]
phase = build
environment = production
run = echo here >> "$TRACE"

[action calm]
phase = build
nice = 7
run = echo "nice $(nice)" >> "$TRACE"

[action small]
phase = build
memory = 64M
run = echo "memory $(ulimit -d)" >> "$TRACE"

[action kept]
phase = migrate
directive = kept
record = cat $STATE; echo "record" >> "$TRACE"
undo = echo "undo $(cat "$SLIPWAY_RECORD") $SLIPWAY_RECORD" >> "$TRACE"
run = echo changed > $STATE; echo "kept" >> "$TRACE"

[action breaks]
phase = verify
directive = breaks
run = exit 9

[action hungry]
phase = build
directive = hungry
memory = 64M
run = perl -e 'my $x = "x" x 200_000_000; print length($x), "\n"'

[action quick]
phase = build
directive = quick
timeout = 200ms
run = sleep 65
EOT
}
{
	actions
	printf '\n[environment staging]\nbranch = develop\nroot = %s\n\n' \
	    "$T/staging"
	printf '[host other]\nenvironment = staging\nroles = web\n'
} | sed 's/^\[host box\]$/&\nenvironment = production/' | config_trace
add_site staging "$T/staging"

# ran WHAT REGEX: a line of the trace.
ran() {
	like "$1" "$(trace)" "^$2\$"
}
nothing_else() {
	is "and nothing else" "$(trace | wc -l)" "$1"
	: > "$T/trace"
}

push_file index.html one "first"
is_exit "a push succeeds" 0
ran "a command knows its host and its roles" 'who box \[web db\]'
ran "role and once: it runs on the host of that role" 'db'
ran "environment: it runs where it belongs" 'here'
ran "nice: it stands back" "nice $(($(nice) + 7))"
ran "memory: its limit is in kilobytes" 'memory 65536'
nothing_else 5

push_file index.html two "second -kept- -breaks-"
like "a deploy fails at verify" "$banner" \
    'error: deploy 2 failed at verify \(breaks\): exit 9'
ran "record: it is asked before and after" 'record'
is "twice" "$(trace | grep -c '^record$')" 2
ran "undo: it gets what was there before" \
    "undo before $root/[.]slipway/record/[0-9]*/kept"
is "the old release is live" "$(live_file index.html)" one
: > "$T/trace"

# What failed would be asked for again: a clean start on staging's branch.
push_file index.html three "third -quick-" "HEAD:develop"
like "another environment knows its own actions only" "$banner" \
    'staging.* db|role .db.|roles'
not_ok "and fails before anything is there" test -e "$T/staging/current"
sed -i 's/^roles = web$/roles = web db/' "$repo/slipway.ini"
sed -i 's/^run = exit 9$/run = true/' "$repo/slipway.ini"
: > "$T/trace"
commit index.html four "fourth"
push HEAD:develop
like "timeout: a command is ended" "$banner" \
    'quick on other failed: timed out after (2|3|4|5|6)[0-9][0-9] ms'
slip retry 4
is_exit "retry: the number says which environment" 1
like "it is the same deploy again" "$out" 'develop .* to staging'
sed -i 's/^run = sleep 65$/run = true/' "$repo/slipway.ini"
: > "$T/trace"
push_file index.html five "fifth" HEAD:develop
is "then staging is live" "$(cat "$T/staging/current/index.html")" five
unlike "without the other environment's action" "$(trace)" '^here$'
: > "$T/trace"

push_file index.html six "sixth"
is "production, too" "$(live_file index.html)" six
push_file index.html seven "seventh -hungry-"
unlike "memory: a command cannot have more" "$banner" '\| .*200000000$'
like "and fails" "$banner" 'error: deploy [0-9]+ failed at build \(hungry\)'
is "with the release before live" "$(live_file index.html)" six
sed -i 's/^memory = 64M$/memory = 1G/' "$repo/slipway.ini"
push_file index.html eight "eighth"
like "with more memory it goes through" "$banner" '\| .*200000000$'
is "and is live" "$(live_file index.html)" eight

# A command that may not run twice, when its runner dies in the midst of it.
config_trace <<EOT
[action once]
phase = migrate
directive = once
retry = no
undo = echo undone >> "\$TRACE"
run = echo ran >> "\$TRACE"; touch $T/ready; until test -e $T/go; do sleep 0.05; done
EOT
sed -i '/^\[environment production\]/i [environment staging]\
branch = develop\
root = '"$T/staging"'\
' "$repo/slipway.ini"
commit index.html nine "ninth -once-"
setsid git -C "$work" push -q production main > "$T/push.out" 2>&1 \
    < /dev/null &
pid=$!
started "$pid"
ok "a command is under way" wait_for 10 test -e "$T/ready"
n=$(newest deploy)
kill -9 "-$pid"
for p in $(program runner); do
	kill -9 "$p"
done
wait_for 10 idle
touch "$T/go"
run "$slipway" deploy -C "$repo" -e production main
check_invariants "after a runner that died in a step with retry = no"
is "retry = no: the deploy is taken back" "$(deploy "$n" state)" rolled-back
like "and says why" "$(deploy "$n" error)" 'interrupted'
done_testing
