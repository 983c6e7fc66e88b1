#!/bin/sh
# A deploy that somebody stops: while it waits, in every phase, too late.

. "$(dirname "$0")/../lib.sh"

hold="touch $T/ready; until test -e $T/go; do sleep 0.05; done"

make_site
config_trace <<EOF
keep_failed = 2

[action gate]
phase = build
directive = gate
run = $hold

[action page]
phase = maintenance
directive = page
run = touch $T/page
undo = rm $T/page

[action schema]
phase = migrate
directive = schema
record = cat $T/schema
run = cat version > $T/schema; $hold
undo = echo undo >> "\$TRACE"; cp "\$SLIPWAY_RECORD" $T/schema

[action data]
phase = migrate
directive = data
run = touch $T/data
undo = echo undo >> "\$TRACE"; $hold; rm $T/data

[action blind]
phase = migrate
directive = blind
run = touch $T/blind; until test -e $T/never; do sleep 0.05; done
undo = rm $T/blind

[action deaf]
phase = migrate
directive = deaf
run = trap '' TERM; $hold

[action calm]
phase = migrate
directive = calm
run = trap 'exit 0' TERM; $hold

[action fails]
phase = migrate
directive = fails
run = exit 3

[action restart]
phase = restart
run = echo "restart \$(cat "\$SLIPWAY_CURRENT/version")" >> "\$TRACE"; test ! -e $T/hold || { $hold; }

[action mail]
phase = notify
directive = mail
run = $hold
EOF
echo zero > "$T/schema"

cancel() {
	run "$slipway" cancel -C "$repo" "$@"
}

# hold NAME COMMAND...: until it is at its gate; its output is in $T/NAME.
hold() {
	_name=$1
	shift
	rm -f "$T/ready" "$T/go"
	: > "$T/trace"
	"$@" > "$T/$_name" 2>&1 < /dev/null &
	pid=$!
	started "$pid"
	wait_for 15 test -e "$T/ready" || diag "no gate" "$(cat "$T/$_name")"
}

# begin MESSAGE: a push on top of what is live that reaches its gate.
begin() {
	git -C "$work" reset -q --hard \
	    "$(git -C "$repo" rev-parse refs/live/production)"
	commit version "$1" "$1"
	hold pushed git -C "$work" push --force production main
	n=$(newest deploy)
}

# ends WHAT STATE: the push has ended, and its deploy so.
ends() {
	wait_for 15 ended "$pid"
	check_invariants "after $1"
	is "$1: the state" "$(deploy "$n" state)" "$2"
}

asked() {
	[ "$(sql "SELECT count(*) FROM deploys")" -ge "$1" ]
}

push_file version one one

# Nothing to do.
cancel
is_exit "there is nothing to cancel" 1
like "that is said" "$err" 'production: nothing is under way'
cancel 7
is_exit "there is no deploy 7" 1
like "that is said" "$err" 'there is no deploy 7'
cancel seven
is_exit "a word is no number" 2
cancel 1
is_exit "what is live is not cancelled" 3
like "that is said" "$err" 'deploy 1 is live already$'

# While it waits.
begin "two -gate-"
commit version three three
git -C "$work" push production main > "$T/second" 2>&1 &
second=$!
started "$second"
wait_for 15 asked 3
export GL_USER=bob
cancel 3
is_exit "one that waits is cancelled" 0
like "and that is told" "$out" '^deploy 3 was cancelled by bob$'
ok "who waited for it hears it at once" wait_for 15 ended "$second"
like "from whom" "$(cat "$T/second")" 'remote: bob cancels deploy 3'
like "and that it is over" "$(cat "$T/second")" \
    'remote: deploy 3 was cancelled by bob'
cancel 3
is_exit "once is enough" 3
like "that is said" "$err" 'deploy 3 is over already: cancelled'
is "the other one goes on" "$(deploy 2 state)" preparing
touch "$T/go"
wait_for 15 ended "$pid"
check_invariants "after a waiting deploy was cancelled"
is "it is live" "$(deploy 2 state)" live
is "the cancelled one never was" "$(deploy 3 state)" cancelled
is "it is known who did it" \
    "$(sql "SELECT cancelled_by FROM deploys WHERE number = 3")" bob
is "and why it ended" "$(deploy 3 error)" "cancelled by bob"
slip status
unlike "it is no failure" "$out" 'failed'

# Before anything was touched.
begin "four -gate-"
two=$(current)
from=$(date +%s%N)
cancel --json
is_exit "a command is stopped" 0
is "the object tells" "$(printf '%s\n' "$out" | json state)" cancelled
ok "soon" test $(($(date +%s%N) - from)) -lt 3000000000
ends "a cancel in prepare" cancelled
is "it says where" "$(deploy "$n" error)" "cancelled by bob at build (gate)"
is "the live release was not touched" "$(current)" "$two"
is "the step is no success" \
    "$(sql "SELECT state FROM steps WHERE deploy = $n")" failed
is "its release is set aside" \
    "$(sql "SELECT state FROM releases WHERE deploy = $n")" failed
like "who pushed sees it" "$(cat "$T/pushed")" \
    "remote: deploy $n was cancelled by bob at build"
like "and what is live" "$(cat "$T/pushed")" "$two is still live"
run "$slipway" log -C "$repo" --state cancelled
like "the log has it" "$out" "^ *$n "
run "$slipway" show -C "$repo" "$n"
like "so has its page" "$out" 'cancelled by bob at build \(gate\)'

# What its options had asked for is called off with it.
hold asked "$slipway" deploy -C "$repo" -d gate -d page
cancel
is_exit "one that was asked for by hand is stopped" 0
wait "$pid"
is "who asked for it is told by the status" $? 1
slip deploy refs/live/production
unlike "the next deploy asks for nothing of it" "$out" '-page-'

# In the migration.
begin "five -page- -schema-"
before=$(current)
ok "the page is up" test -e "$T/page"
cancel
is_exit "a migration is stopped" 0
like "and taken back" "$out" \
    "^deploy $n was cancelled by bob at migrate \(schema\); it was rolled"
ends "a cancel in the migration" rolled-back
is "what it did is undone" "$(cat "$T/schema")" zero
is "by its undo" "$(trace)" "undo
restart two -gate-"
is "the release before is live" "$(current)" "$before"
not_ok "the page is down" test -e "$T/page"

# One of which nobody knows whether it did anything: it has no record.
begin "five and a half -schema- -blind-"
touch "$T/go"
wait_for 15 test -e "$T/blind"
cancel
is_exit "what a cancel may have left there is no success" 5
like "that is said" "$err" "^slipway: deploy $n was cancelled by bob at \
migrate \(blind\); it was rolled back, but for a migration that may have"
like "and why its undo did not run" "$out" \
    '^warning: blind was stopped and was not undone: it has no record in'
like "the banner says so" "$out" \
    '; it was rolled back, but for a migration that may have changed data$'
like "the directive did not fail" "$out" \
    '^  directives +schema undone, blind stopped$'
like "nor did the migrations" "$out" \
    '^  migrations +stopped, may have changed data$'
ends "a cancel of a migration without a record" rolled-back
is "the one with a record is undone" "$(cat "$T/schema")" zero
ok "the other one is not" test -e "$T/blind"
run "$slipway" show -C "$repo" "$n"
like "its page says that, too" "$out" \
    '^  migrations +stopped, may have changed data$'

# A command that is deaf to TERM, and two who cancel.
begin "six -deaf-"
GL_USER=carol "$slipway" cancel -C "$repo" "$n" > "$T/other" 2>&1 &
other=$!
started "$other"
ok "another one cancels" wait_for 10 grep -q 'carol cancels' "$T/other"
cancel
is_exit "a deaf command is stopped, and may have done something" 5
wait "$other"
is "the other one is told, too" $? 5
check_invariants "after a deaf command was stopped"
is "the first one is named" "$(deploy "$n" error)" \
    "cancelled by carol at migrate (deaf)"
is "it was killed" \
    "$(sql "SELECT signal FROM steps WHERE deploy = $n")" 9

# A command that ends well when it is told to end.
begin "seven -calm-"
cancel
is_exit "a calm one is stopped, and may have done something" 5
ends "a cancel of a calm command" rolled-back
is "it is no success" \
    "$(sql "SELECT state FROM steps WHERE deploy = $n")" failed

# After the flip.
touch "$T/hold"
begin "eight -data-"
is "the new release is live for visitors" "$(live_file version)" \
    "eight -data-"
rm "$T/hold"
hold other "$slipway" cancel -C "$repo"
cancel
is_exit "an undo is not stopped" 3
like "that is said" "$err" 'is being taken back already'
touch "$T/go"
ok "the first one is done" wait "$pid"
check_invariants "after a cancel behind the flip"
is "it was taken back" "$(deploy "$n" state)" rolled-back
is "to its end" "$(trace)" "undo
restart $(live_file version)"
not_ok "its data is gone" test -e "$T/data"
is "the release before is live" "$(current)" "$before"

# Too late: it has failed by itself, it is live, it is a rollback.
begin "nine -data- -fails-"
cancel
is_exit "a failed one is not cancelled" 3
touch "$T/go"
ends "a failure" rolled-back
is "its error is its own" "$(deploy "$n" error)" "migrate (fails): exit 3"
begin "ten -mail-"
cancel
is_exit "a deploy that is live already goes on" 1
cancel "$n"
is_exit "also by its number" 3
like "and what to do instead is said" "$err" \
    "deploy $n is live already; slipway rollback -C $repo takes it back$"
touch "$T/go"
ends "the mail" live
push_file version eleven "eleven -data-"
hold other "$slipway" rollback -C "$repo"
n=$(newest deploy)
cancel
is_exit "a rollback that has begun goes on" 3
like "that is said" "$err" 'has undone cannot be done again'
touch "$T/go"
ends "a rollback" live

# Who cancels, and is not heard before the runner dies.
kill_runner() {
	for _p in $(program runner); do
		kill "-$1" "$_p"
	done
}

die() {
	kill_runner STOP
	"$slipway" cancel -C "$repo" > "$T/other" 2>&1 &
	other=$!
	started "$other"
	ok "$1: it is marked" wait_for 10 grep -q 'bob cancels' "$T/other"
	kill_runner KILL
	ok "$1: it is cancelled all the same" wait "$other"
}

begin "twelve -gate-"
die "a runner that dies in prepare"
ends "a runner that dies in prepare" cancelled
begin "thirteen -schema-"
die "a runner that dies in the migration"
ends "a runner that dies in the migration" rolled-back
is "what it did is undone" "$(cat "$T/schema")" zero

# A config that is wrong meanwhile keeps nobody from stopping what runs.
begin "fourteen -gate-"
cp "$repo/slipway.ini" "$T/ini"
sed -i 's/^keep_failed = .*/kep = 5/' "$repo/slipway.ini"
cancel
cp "$T/ini" "$repo/slipway.ini"
is_exit "with a wrong config" 0
like "it is told" "$err" "^slipway: warning: .*unknown key 'kep'"
ends "with a wrong config" cancelled
done_testing
