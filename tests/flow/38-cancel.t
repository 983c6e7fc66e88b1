#!/bin/sh
# A deploy that somebody stops: while it waits, in every phase, too late.

. "$(dirname "$0")/../lib.sh"

make_site
config_trace <<EOF2
[action gate]
phase = build
directive = gate
run = touch $T/ready; until test -e $T/go; do sleep 0.05; done
EOF2

push_file version one one
run "$slipway" cancel -C "$repo"
is_exit "there is nothing to cancel" 1
like "that is said" "$err" 'production: nothing is under way'
run "$slipway" cancel -C "$repo" 7
is_exit "there is no deploy 7" 1
run "$slipway" cancel -C "$repo" 1
is_exit "what is live is not cancelled" 3
like "and what to do instead is said" "$err" \
    'deploy 1 is live already; slipway rollback'

commit version two "two -gate-"
git -C "$work" push production main > "$T/first" 2>&1 &
first=$!
started "$first"
wait_for 15 test -e "$T/ready"
commit version three three
git -C "$work" push production main > "$T/second" 2>&1 &
second=$!
started "$second"
wait_for 15 deploy 3 state
run "$slipway" cancel -C "$repo" 3
is_exit "one that waits is cancelled" 0
like "and that is told" "$out" 'deploy 3 was cancelled by '
ok "who waited for it hears it at once" wait_for 15 ended "$second"
like "from whom" "$(cat "$T/second")" ' cancels deploy 3'
like "and that it is over" "$(cat "$T/second")" 'deploy 3 was cancelled by '
is "the other one goes on" "$(deploy 2 state)" preparing
touch "$T/go"
wait_for 15 ended "$first"
check_invariants "after a waiting deploy was cancelled"
is "it is live" "$(deploy 2 state)" live
is "the cancelled one is not" "$(deploy 3 state)" cancelled
done_testing
