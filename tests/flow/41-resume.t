#!/bin/sh
# What a dead receive-pack, a dead runner or a power cut left is brought to
# an end: by the next push, by a runner, or by slipway resume.

. "$(dirname "$0")/../lib.sh"

make_site
config_trace <<EOF
[environment staging]
branch = main
root = $T/staging

[environment preview]
branch = preview
root = $T/preview

[action gate]
phase = build
directive = gate
environment = production
run = touch $T/ready; until test -e $T/go; do sleep 0.05; done

[action note]
phase = clear
directive = note
environment = production
run = echo "note \$(cat version)" >> "\$TRACE"
EOF
add_site staging "$T/staging"
add_site preview "$T/preview"
"$slipway" init "$repo" > "$T/init" 2>&1 || diag "$(cat "$T/init")"

# lose HOOK: from now on it ends its receive-pack, and itself.
lose() {
	mv "$repo/hooks/$1" "$T/kept"
	printf '#!/bin/sh\nkill -9 $PPID $$\n' > "$repo/hooks/$1"
	chmod +x "$repo/hooks/$1"
}

# lost_push [ARGUMENT...]: its ref moves, and nobody asks for a deploy.
lost_push() {
	lose post-receive
	push_raw "$@"
	mv "$T/kept" "$repo/hooks/post-receive"
}

pushes() {
	sql "SELECT state FROM pushes ORDER BY id" | paste -s -d ,
}

count() {
	sql "SELECT count(*) FROM deploys WHERE environment = '$1'"
}

push_file version one "one"
is "the first push has landed" "$(pushes)" landed

# The ref has moved, and nothing was asked for.
commit version two "two -note-"
lost_push -o note main
isnt "a push whose receive-pack is killed fails" "$status" 0
is "its ref has moved" "$(git -C "$repo" rev-parse main)" "$(head_of)"
is "nothing was asked for" "$(count production)" 1
is "nobody knows what became of it" "$(pushes)" landed,received
run "$slipway" runner -C "$repo" -e production
is_exit "the next runner" 0
check_invariants "after a push that was lost"
is "deploys it" "$(live_file version)" two
is "in every environment of the branch" "$(cat "$T/staging/current/version")" \
    two
is "with what it asked for" "$(trace)" "note two"
is "it has landed" "$(pushes)" landed,landed
is "the deploy is the push's" "$(newest pusher)" "$(deploy 1 pusher)"
done_testing
