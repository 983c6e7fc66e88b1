#!/bin/sh
# Ctrl-C ends the view of a deploy, and nothing else.

. "$(dirname "$0")/../lib.sh"

# A shell's background jobs ignore SIGINT, and so does what they start.
interrupted() {
	rm -f "$T/pid"
	perl -e '$SIG{INT} = "DEFAULT"; open F, ">", "$ARGV[0].new"; print F $$;
	    close F; rename "$ARGV[0].new", shift; exec @ARGV' "$T/pid" "$@" \
	    > "$T/view" 2>&1 &
	view=$!
	started "$view"
	wait_for 10 grep -q 'touch' "$T/view" || diag "it shows nothing"
	kill -INT "$(cat "$T/pid")"
	status=0
	wait "$view" || status=$?
}

make_site
config <<EOF
[action gate]
phase = build
run = touch $T/there; while ! test -e $T/go; do sleep 0.05; done
EOF
touch "$T/go"
push_file index.html one "first page"
rm "$T/go"
interrupted "$slipway" deploy -C "$repo"
is_exit "Ctrl-C ends slipway deploy" 130
like "it says that the deploy goes on, and where" "$(cat "$T/view")" \
    "^the deploy goes on; slipway show -f 2 -C $repo\$"
interrupted "$slipway" show -f 2 -C "$repo"
is_exit "and slipway show -f" 130
like "which says the same" "$(cat "$T/view")" '^the deploy goes on; '
is "the deploy is under way" "$(deploy 2 state)" preparing
touch "$T/go"
run "$slipway" show -f 2 -C "$repo"
is_exit "the view is picked up" 0
is "and it is live" "$(deploy 2 state)" live
wait_for 10 idle
check_invariants "at the end"
done_testing
