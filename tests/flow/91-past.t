#!/bin/sh
# What a rollback went past is judged by what was undone, and when.

. "$(dirname "$0")/../lib.sh"

make_site
config_trace <<EOF
keep = 20

[action updb]
phase = migrate
directive = updb
run = true
undo = test ! -e "$T/no"
EOF
push_file v 1 one
one=$(head_of)
push_file v 2 'two -updb-'
two=$(current)
slip rollback

# A release that never had it lacks nothing.
git -C "$work" reset -q --hard "$one"
commit v 3 'three, without two'
push_raw --force main
three=$(current)
push_file v 4 four
slip rollback 1
push_file v 5 five
slip rollback "$three"
is_exit "back to what was live after it was undone" 0
is "is no way back too far" "$(live_file v)" 3
slip rollback "$two"
is_exit "to what stands on it there is none" 1
like "which is told" "$err" \
    "release $two needs what a rollback has undone: updb of deploy 2; "

# Nor does one of which an undo failed: what is live stands on the same.
push_file v 7 'seven -updb-'
seven=$(current)
push_file v 8 eight
touch "$T/no"
slip rollback 1
is_exit "a rollback whose undo fails" 6
is "flips nothing" "$(live_file v)" 8
rm "$T/no"
slip rollback "$seven"
is_exit "one that has nothing to undo goes on" 0
is "to what has it" "$(live_file v)" 7
done_testing
