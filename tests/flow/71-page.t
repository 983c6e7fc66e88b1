#!/bin/sh
# The maintenance page of a broken deploy: it stays up, is told of as long
# as it does, and comes down with the next deploy or rollback that goes live.

. "$(dirname "$0")/../lib.sh"

make_site
config <<'EOF'
[action page]
phase = maintenance
directive = schema
record = echo nonce
run = : > "$SLIPWAY_SHARED/page"
undo = test ! -e "$SLIPWAY_SHARED/stuck" && grep -q nonce "$SLIPWAY_RECORD" && rm "$SLIPWAY_SHARED/page"

[action schema]
phase = migrate
run = true
undo = test ! -e "$SLIPWAY_SHARED/lost"

[action health]
phase = verify
run = test ! -e unhealthy
EOF

# page WHAT up|down: as it is, and as status tells it.
page() {
	"$slipway" status -C "$repo" > "$T/.status" 2>&1
	if [ "$2" = up ]; then
		ok "$1: the page is up" test -e "$root/shared/page"
		ok "$1: status tells it" grep -q \
		    '^  maintenance   the page is up; ' "$T/.status"
	else
		not_ok "$1: the page is down" test -e "$root/shared/page"
		not_ok "$1: status does not tell of it" grep -q maintenance \
		    "$T/.status"
	fi
}

# break_it: a deploy that cannot be taken back.
break_it() {
	: > "$root/shared/lost"
	echo x > "$work/unhealthy"
	git -C "$work" add unhealthy
	push_file index.html "$1" "$1 -schema-"
	is "$1: it is broken" "$(newest state)" broken
	git -C "$work" rm -q unhealthy
}

push_file index.html one "first"
push_file index.html two "second"
break_it three
like "the banner tells" "$banner" '^  maintenance +up$'
page "after a broken deploy" up

# A rollback that breaks as well.
slip rollback
is_exit "a rollback that cannot undo is broken" 6
like "its banner tells, though it put no page up" "$out" \
    '^  maintenance +up$'
page "after a broken rollback" up

# One that goes live.
rm "$root/shared/lost"
slip rollback
is_exit "when it can, it goes live" 0
like "the banner tells of the page" "$out" '^  maintenance +down$'
page "after a rollback" down

# One that puts it up itself takes it down once.
break_it four
rm "$root/shared/lost"
push_file index.html five "fifth"
is "a deploy that mends it goes live" "$(newest state)" live
like "the banner tells of the page" "$banner" '^  maintenance +down$'
unlike "and has nothing to complain of" "$banner" warning
is "nor does it say so twice" "$(printf '%s\n' "$banner" |
    grep -c 'page down')" 1
page "after a deploy" down

# One that cannot take it down.
break_it six
rm "$root/shared/lost"
: > "$root/shared/stuck"
slip rollback
is_exit "a page that stays is no failure" 0
like "but a warning" "$out$err" \
    'warning: the maintenance page that deploy [0-9]+ has left is still up: '
like "and the banner says that it is up" "$out" '^  maintenance +up$'
page "after that" up
rm "$root/shared/stuck"
push_file index.html seven "seventh"
like "the next one takes it down" "$banner" '^  maintenance +down$'
page "after that one" down

# json_page: the number of the deploy that has left it up.
json_page() {
	"$slipway" status -C "$repo" --json | json 0.page_up
}

# A deploy of what was live does not ask for what the broken one wanted; its
# undo finds what was recorded then.
seven=$(head_of)
break_it seven-and-a-half
rm "$root/shared/lost"
run "$slipway" status -C "$repo"
way=$(printf '%s\n' "$out" |
    sed -n 's/.* the page is up; \(slipway deploy .*\) takes it down,.*/\1/p')
run "$slipway" doctor -C "$repo" --etc "$T"
like "the doctor knows the same way" "$out" "^ +$way takes it down, and so"
run sh -c "$way"
is_exit "what is said, typed" 0
is "makes live what was" "$(live_file index.html)" seven
like "a deploy that puts no page up takes it down" "$out" \
    '^  maintenance +down$'
page "after that one, too" down

# Somebody has taken it down by hand: no undo can.
break_it eight
eight=$(newest deploy)
is "status --json tells of the page" "$(json_page)" "$eight"
mkdir "$T/etc"
run "$slipway" doctor -C "$repo" --etc "$T/etc"
like "and so does the doctor" "$out" "^fault: production: the maintenance\
 page that deploy $eight has left is up"
rm "$root/shared/lost" "$root/shared/page"
for i in one two; do
	slip deploy "$seven"
	like "deploy $i cannot take it down" "$out$err" \
	    "warning: the maintenance page that deploy $eight has left is still"
	is "that is told, $i" "$(json_page)" "$eight"
done
slip deploy "$seven"
like "the third that fails says that it is the last one" "$out$err" \
    "warning: .*deploy $eight has left may still be up, and nothing will try"
like "as the banner does" "$out$err" '^  maintenance +may be up$'
is "the matter is closed" "$(json_page)" null
like "the deploy says how" "$("$slipway" show -C "$repo" "$eight")" \
    '^  maintenance +may be up$'
slip deploy "$seven"
unlike "the next one has nothing to tell" "$out$err" 'warning|may be up'
run "$slipway" doctor -C "$repo" --etc "$T/etc"
unlike "nor has the doctor" "$out" 'maintenance page'

# The host that has it is none any more.
break_it thirteen
rm "$root/shared/lost"
printf '\n[host box]\n' >> "$repo/slipway.ini"
slip deploy "$seven"
like "where the host is gone, that is told at once" "$out$err" \
    "warning: undo of page: host local is not in slipway.ini any more; the"
is "and closes the matter" "$(json_page)" null

done_testing
