#!/bin/sh
# Refs that a deploy could not set: status names them, and slipway resume
# sets them when the deploy is long over.

. "$(dirname "$0")/../lib.sh"

ref() {
	git -C "$repo" rev-parse -q --verify "$1" || echo none
}

# short REV: as people are shown it.
short() {
	git -C "$work" rev-parse --short=7 "$1"
}

make_site
push_file index.html one "first page"
slip resume
is "nothing is said of refs that are right" "$status $out$err" "0 "
touch -d "-1 hour" "$repo/refs/live/production.lock"
slip resume
not_ok "one that is right is not left locked" \
    test -e "$repo/refs/live/production.lock"

# Between the look at it and its removal somebody frees it, and takes it.
inject=$build/tests/fault/inject
lock=$repo/refs/live/production.lock
cat > "$T/take" <<'EOF'
#!/bin/sh
case $INJECT_CALL:$INJECT_PATH in
*production.lock*) ;;
*) exit 0 ;;
esac
[ -e "$LOCK" ] && ! [ -s "$LOCK" ] || exit 0
rm "$LOCK"
echo living | tee "$LOCK" > "$TAKEN"
EOF
chmod +x "$T/take"
export LOCK="$lock" TAKEN="$T/taken"
for call in rename unlink; do
	touch -d "-1 hour" "$lock"
	run "$inject" -c "$call" -o "$T/calls" pause "$T/take" 1 "$slipway" \
	    resume -C "$repo"
	if [ -e "$T/taken" ]; then
		is "$call: a lock that is taken anew stays" \
		    "$(cat "$lock")" living
	else
		[ "$status" -ne 77 ] || rm "$lock"
		not_ok "$call: a stale one goes" test -e "$lock"
	fi
	rm -f "$lock" "$T/taken"
	is "nothing is beside it" "$(find "$repo/refs" -name '*.lock')" ""
done

# Another ref is in the way of the one that is to be set.
first=$(head_of)
git -C "$repo" update-ref -d refs/live/production
git -C "$repo" update-ref refs/live/production/x "$first"
commit index.html two "second page"
push_raw
wait_for 20 idle
is_exit "a push lands all the same" 0
is "and is live" "$(live_file index.html)" two
like "and tells what it could not do" "$(newest error)" 'refs/live/production'
git -C "$repo" update-ref -d refs/live/production/x
run "$slipway" status -C "$repo"
is_exit "status ends with 1" 1
like "names the ref" "$out" \
    "left +refs/live/production is not there, and $(short HEAD) is live"
like "and says what to do" "$err" "slipway resume -C $repo"
slip resume
is_exit "resume" 0
is "says what it did" "$out" "production: refs/live/production is not \
there, and $(short HEAD) is live; moved there"
is "and did it" "$(ref refs/live/production)" "$(head_of)"
slip resume
is "once" "$out" ""
slip status
is_exit "status is content" 0

# While a deploy is under way it is that deploy's business.
git -C "$repo" update-ref refs/live/production "$first"
config <<EOF
[action gate]
phase = build
run = touch $T/ready; until test -e $T/go; do sleep 0.05; done
EOF
commit index.html three "third page"
git -C "$work" push -q production main 2> /dev/null &
started $!
ok "a deploy holds" wait_for 15 test -e "$T/ready"
run "$slipway" status -C "$repo"
unlike "nothing is said of the ref meanwhile" "$out" 'left'
touch "$T/go"
wait
check_invariants "after it"
is "the deploy has set it" "$(ref refs/live/production)" "$(head_of)"

# The branch of a transactional environment.
third=$(head_of)
sed -i 's/^branch = main/&\ntransactional = yes/' "$repo/slipway.ini"
cat >> "$repo/slipway.ini" <<EOF
[action data]
phase = migrate
directive = data
run = true
undo = false
[action health]
phase = verify
run = test ! -e $T/sick
EOF
run "$slipway" init "$repo"
push_file index.html four "fourth page"
fourth=$(head_of)
touch "$T/sick"
slip rollback
is "a rollback that fails at verify is live" \
    "$(newest state) $(live_file index.html)" "live three"
git -C "$repo" update-ref refs/heads/main "$fourth"
slip resume
is "a branch that it did not move is moved" "$(ref main)" "$third"
push_file index.html five "five -data-"
is "a deploy is broken" "$(newest state)" broken
git -C "$repo" update-ref refs/heads/main "$(head_of)"
run "$slipway" status -C "$repo"
like "the branch that it may leave behind is named" "$out" \
    "left +refs/heads/main is at $(short HEAD), and $(short "$third") is live"
slip resume
like "resume says that it moves it" "$out" \
    'refs/heads/main is at .*; moved there$'
is "to what is live" "$(ref main)" "$third"
made=$(git -C "$repo" commit-tree -m "by hand" "$third^{tree}")
git -C "$repo" update-ref refs/heads/main "$made"
run "$slipway" resume -C "$repo"
is "what somebody else has put there stays" "$out $(ref main)" " $made"
run "$slipway" status -C "$repo"
like "status says what it is" "$out" \
    "not live +main is at $(git -C "$repo" rev-parse --short=7 main), but "
git -C "$repo" update-ref refs/heads/main "$third"
check_invariants "at the end"
done_testing
