#!/bin/sh
# What takes a deploy back is written down before it begins, like any other
# step: it is not begun again for ever, and nothing of it is forgotten.

. "$(dirname "$0")/../lib.sh"

make_site
# shellcheck disable=SC2016 # $PPID is for the command: its agent
die='test ! -e "$TRACE.die" || kill -9 $PPID'
config_trace <<EOF
[action low]
phase = migrate
directive = low
run = true
undo = echo low >> "\$TRACE"

[action mig]
phase = migrate
directive = mig
run = true
undo = echo mig >> "\$TRACE"; $die

[action never]
phase = migrate
directive = never
retry = no
run = true
undo = echo never >> "\$TRACE"; $die

[action old]
phase = restart
directive = old
run = echo "old \$(cat version)" >> "\$TRACE"; test -e unhealthy || $die

[action check]
phase = verify
run = test ! -e unhealthy
EOF

# break_it VERSION: a deploy whose check fails, on top of what is live.
break_it() {
	: > "$T/trace"
	git -C "$work" reset -q --hard \
	    "$(git -C "$repo" rev-parse refs/live/production)"
	put unhealthy x
	push_file version "$1" "$1" --force main
	wait_for 30 idle
}

# mended VERSION: one on top of what is live, which is well.
mended() {
	git -C "$work" reset -q --hard \
	    "$(git -C "$repo" rev-parse refs/live/production)"
	push_file version "$1" "$1" --force main
}

steps() {
	sql "SELECT action || ' ' || state FROM steps WHERE deploy =
	    (SELECT max(number) FROM deploys) AND phase = 'migrate'
	    ORDER BY id" | paste -s -d ,
}

push_file version one "first"
one=$(current)

# An undo ends the agent that runs it.
: > "$T/trace.die"
break_it "two -low- -mig-"
is "an undo that is interrupted is begun three times" \
    "$(trace | grep -c -x mig)" 3
is "then it has failed, and the others are done" "$(steps)" \
    "low undone,mig undo-failed"
is "the deploy is broken" "$(newest state)" broken
like "which tells why" "$(newest error)" \
    'undo of mig: migrate \(mig\): interrupted; that makes 3 times'
like "and what of it" "$("$slipway" show -C "$repo" "$(newest deploy)")" \
    '^  migrations +ran, not undone$'
is "what was live is" "$(current)" "$one"
is "the journal has each time" "$(sql "SELECT count(*) FROM events
    WHERE noun = 'step' AND json_extract(body, '\$.state') = 'undoing'
    AND json_extract(body, '\$.action') = 'mig'")" 3
slip verify
is_exit "and is sound" 0
rm "$T/trace.die"
mended three
is "it blocks nothing" "$(newest state)" live

# One that is not to be begun twice.
: > "$T/trace.die"
break_it "four -low- -never-"
is "with retry = no it is begun once" "$(trace | grep -c never)" 1
is "and told" "$(steps)" "low undone,never undo-failed"
like "with the reason" "$(newest error)" \
    'undo of never: migrate \(never\): interrupted, and retry = no'

# What runs in the old release.
break_it "five -old-"
is "so it is with a restart in the old release" \
    "$(trace | grep -c 'old three')" 3
is "which has failed then" "$(newest state)" broken
like "and is told" "$(newest error)" \
    'in the old release: restart \(old\): interrupted; that makes 3 times'

# A rollback goes straight to it.
rm "$T/trace.die"
mended "six -low- -mig-"
: > "$T/trace"
: > "$T/trace.die"
slip rollback
is_exit "a rollback breaks" 6
is "after the third time, too" "$(trace | grep -c -x mig)" 3
is "it is broken" "$(newest state)" broken
rm "$T/trace.die"
: > "$T/trace"
slip rollback
is_exit "when the cause is mended, the next one goes on" 0
is "with that one, and with what had failed before" \
    "$(trace | head -n 2 | paste -s -d ,)" "mig,never"

# A rollback that is picked up knows what it had undone before.
# shellcheck disable=SC2016 # as above
sed -i '/phase = verify/,$ s/^run = .*/run = test ! -e "$TRACE.once" || { rm "$TRACE.once"; kill -9 $PPID; }/' \
    "$repo/slipway.ini"
mended "seven -mig-"
: > "$T/trace"
: > "$T/trace.once"
slip rollback
is_exit "one that is picked up behind its flip is live" 0
is "its undo ran once" "$(trace | grep -c -x mig)" 1
like "and is told" "$out" '^  migrations +ran, undone$'
like "by the journal, too" "$("$slipway" show -C "$repo" \
    "$(newest deploy)")" '^  migrations +ran, undone$'

# A long way back: the first undo that failed is told.
{
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		printf '[action a%s]\nphase = restart\ndirective = many\n' "$i"
		printf 'run = true\nundo = exit 1\n\n'
	done
	printf '[action worse]\nphase = verify\nrun = test ! -e unhealthy\n'
} >> "$repo/slipway.ini"
break_it "eight -many-"
like "of many undos that fail the first is told" "$(newest error)" \
    'broken: undo of a20: exit 1'

# The journal fails once, in the middle of it.
break_it "nine -low- -mig- -old-"
number=$(($(newest deploy) + 1))
sqlite3 "$repo/slipway/journal.db" "CREATE TRIGGER fails
    BEFORE UPDATE OF state ON steps
    WHEN NEW.state = 'undone' AND NEW.action = 'mig' AND
    NEW.deploy = $number AND (SELECT count(*) FROM events
    WHERE noun = 'step' AND key = NEW.id) < 4
    BEGIN SELECT RAISE(ABORT, 'disk I/O error (once)'); END"
break_it "ten -low- -mig- -old-"
is "an undo that could not be written down is done again" \
    "$(trace | grep -c -x mig)" 2
is "and what comes after it is" "$(steps)" "low undone,mig undone"
is "it is taken back whole" "$(newest state)" rolled-back
sqlite3 "$repo/slipway/journal.db" "DROP TRIGGER fails"

# Not in the order of the alphabet.
cat >> "$repo/slipway.ini" <<'EOF'

[action early]
phase = clear
directive = early
run = echo "run $SLIPWAY_DIRECTIVES" >> "$TRACE"
undo = echo "undo $SLIPWAY_DIRECTIVES" >> "$TRACE"
EOF
break_it "eleven -low- -early-"
is "an undo has the names as its step had them" \
    "$(trace | grep ' ' | grep -v old | head -n 2 | paste -s -d ,)" \
    "run low early,undo low early"

done_testing
