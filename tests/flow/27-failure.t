#!/bin/sh
# A deploy that fails: what was live is live, or comes back.

. "$(dirname "$0")/../lib.sh"

make_site
actions() {
	cat <<'EOF'
[action build]
phase = build
directive = nobuild
run = echo "cannot build"; exit 7

[action dump]
phase = backup
directive = m3
run = true

[action m1]
phase = migrate
directive = m1
run = echo m1 >> "$TRACE"
undo = echo "undo m1 in $(basename "$PWD")" >> "$TRACE"
record = cat "$TRACE"

[action m2]
phase = migrate
directive = m2
run = echo m2 >> "$TRACE"
undo = echo "undo m2, was: $(ls "$SLIPWAY_RECORD"* 2>/dev/null | wc -l)" >> "$TRACE"
record = echo state

[action m3]
phase = migrate
directive = m3
run = echo m3 >> "$TRACE"; exit 1
undo = echo "undo m3" >> "$TRACE"

[action m4]
phase = migrate
directive = m4
run = echo m4 >> "$TRACE"
undo = echo "undo m4 fails"; exit 1

[action m5]
phase = migrate
directive = m5
record = exit 4
undo = true
run = echo m5 >> "$TRACE"

[action restart]
phase = restart
run = echo "restart on $(basename "$(readlink -f "$SLIPWAY_CURRENT")")" >> "$TRACE"

[action norestart]
phase = restart
directive = norestart
run = test -e "$TRACE.ok" || { echo "cannot restart"; exit 1; }

[action nocheck]
phase = verify
directive = nocheck
run = echo "502 Bad Gateway"; exit 22

[action nocontract]
phase = contract
directive = nonotify
run = exit 9

[action nonotify]
phase = notify
directive = nonotify
run = echo "no mail today"; exit 1
EOF
}
actions | config_trace
push_file index.html one "first"
one=$(current)
: > "$T/trace"

# Before activation.
push_file index.html two "second -nobuild-"
is_exit "git has answered already" 0
is "nothing was touched" "$(current)" "$one"
like "the error names the phase, the action and the status" "$banner" \
    'error: deploy 2 failed at build \(build\): exit 7'
like "its output is there" "$banner" 'cannot build'
like "what is live" "$banner" "release $one is still live"
like "migrations" "$banner" 'migrations +(did )?not'
like "the maintenance page" "$banner" 'maintenance +not'
is "its state" "$(deploy 2 state)" failed
like "its error is kept" "$(deploy 2 error)" 'build'
like "its step is kept" "$(deploy 2 steps)" '"exit":7'
is "no command of a later phase ran" "$(trace)" ""
is "one failed release is kept to look at" \
    "$(ls "$root/.slipway/failed" | wc -l)" 1
run "$slipway" deploy -C "$repo" main
is_exit "the same from the command line has exit status 1" 1
check_invariants "after a failed deploy from the command line"
run "$slipway" status -C "$repo"
like "status says that the last one failed" "$out$err" 'fail'

# In activation, before the flip.
git -C "$work" reset -q --hard HEAD~1
: > "$T/trace"
commit index.html three "third -m1- -m2- -m3-"
push --force main
two=$(git -C "$repo" rev-parse main)
like "the error names the step" "$banner" \
    'error: deploy [0-9]+ failed at migrate \(m3\): exit 1'
like "undo runs newest first, in the new release" \
    "$(trace | paste -s -d ,)" \
    "^m1,m2,m3,(undo m3,)?undo m2, was: [0-9],undo m1 in 20[0-9]{12}"
unlike "in the new release, not in the old one" "$(trace)" \
    "undo m1 in $one"
is "the old release is live" "$(current)" "$one"
is "its page, too" "$(live_file index.html)" one
like "what is live" "$banner" "release $one is (still )?live"
like "of m3 nobody knows whether it has to be undone, and that is told" \
    "$banner" 'migrations +failed, may have changed data'
like "and why" "$banner" 'warning: m3 failed and was not undone: it has no rec'
is "its state" "$(newest state)" rolled-back
like "of two actions of a directive the worse one counts" "$banner" \
    'directives +m3 failed, m1 undone, m2 undone$'
run "$slipway" retry -C "$repo"
is_exit "the same from the command line has exit status 5" 5
check_invariants "after a retry that was rolled back"

# A record that fails keeps its step from running, which is told.
: > "$T/trace"
git -C "$work" reset -q --hard HEAD~1
commit index.html three "third -m5-"
push --force main
like "a record that fails has an exit status, too" "$banner" \
    'error: .* failed at migrate \(m5\): its record command failed: exit 4'
is "its step does not run" "$(trace | grep -c m5)" 0
unlike "nor is that said" "$banner" '^ +m5(:| failed)'

# In activation, after the flip.
: > "$T/trace"
git -C "$work" reset -q --hard HEAD~1
commit index.html four "fourth -m1- -nocheck-"
push --force main
like "a failed check fails the deploy" "$banner" \
    'error: deploy [0-9]+ failed at verify \(nocheck\): exit 22'
is "current was flipped back" "$(current)" "$one"
is "the page is back" "$(live_file index.html)" one
is "the server was restarted on the new release, then on the old" \
    "$(trace | grep -c restart)" 2
is "the old one last" "$(trace | grep restart | tail -n 1)" \
    "restart on $one"
like "what was done was undone" "$(trace)" 'undo m1'
is "its state" "$(newest state)" rolled-back

# An undo that fails.
: > "$T/trace"
git -C "$work" reset -q --hard HEAD~1
commit index.html five "fifth -m1- -m4- -nocheck-"
push --force main
is "a deploy whose undo fails is broken" "$(newest state)" broken
like "and says so, and why" "$banner" \
    'failed at verify .*; broken: undo of m4: exit 1; the code is as before'
like "where to look" "$banner" \
    "needs a hand +slipway show [0-9]+ -C $repo; A BROKEN DEPLOY in slip"
run "$slipway" show -C "$repo"
like "slipway show says so, too" "$out" 'error +verify .*; broken: undo of m4'
like "and where to look" "$out" 'needs a hand +A BROKEN DEPLOY in'
like "that migrations were not undone" "$banner" \
    'migrations +ran, not (all )?undone'
like "the other undo ran nevertheless" "$(trace)" 'undo m1'
run "$slipway" retry -C "$repo"
is_exit "the same from the command line has exit status 6" 6
check_invariants "after a broken deploy"
run "$slipway" doctor -C "$repo"
is_exit "something is wrong then" 1
like "and the doctor points to it" "$out" "^fault: production: deploy [0-9]+\
, the newest, is broken"
like "and to what tells more" "$out" "^    slipway show [0-9]+ -C $repo; "
run "$slipway" status -C "$repo"
is_exit "status says so by its exit status" 6
like "and what failed" "$out" 'last failure .*; broken: undo of m4: exit 1'
is "which is said once" "$err" "slipway: production: deploy $(newest deploy) \
is broken and needs a hand; slipway show $(newest deploy) -C $repo tells why, and what \
to do is told under A BROKEN DEPLOY in slipway-hooks(7)"

# A command that the old release does not have.
push_broken() {
	actions | config_trace
	cat >> "$repo/slipway.ini" <<'EOF'
[action cc]
phase = clear
directive = cc
run = bin/clear-cache
EOF
	git -C "$work" reset -q --hard HEAD~1
	script bin/clear-cache <<'EOF'
#!/bin/sh
true
EOF
	commit index.html cc "clears -m1- -cc- -nocheck-"
	push --force main
}
push_broken
is "an action fails in the old release" "$(newest state)" broken
like "the banner says which" "$banner" \
    'verify .nocheck.: exit 22; broken: in the old release: clear .cc.: exit 127;'
like "and what is well" "$banner" '; code and data are as before$'
like "a directive's result is that of the new release" "$banner" \
    'directives +m1 undone, nocheck failed, cc done'
is "the old release is live" "$(current)" "$one"
like "status says it, too" "$("$slipway" status -C "$repo" 2> /dev/null)" \
    'broken: verify .*; broken: in the old release: clear'
count=$(newest deploy)
push --force "$(git -C "$repo" rev-parse refs/live/production):main"
unlike "nobody says then that it is live" "$banner" 'live already'
is "it is deployed again" "$(newest deploy) $(newest state)" \
    "$((count + 1)) live"

# After activation.
git -C "$work" reset -q --hard HEAD~1
commit index.html six "sixth -nonotify-"
push --force main
is "a failure in finish leaves the deploy live" "$(newest state)" live
is "its page is live" "$(live_file index.html)" six
like "with its output" "$banner" 'no mail today'
told="contract \\(nocontract\\): exit 9; notify \\(nonotify\\): exit 1"
like "a warning tells all that failed there" "$banner" "^warning: $told$"
is "once" "$(printf '%s\n' "$banner" | grep -c '^warning: ')" 1
like "behind what is live" "$(printf '%s\n' "$banner" |
    sed -n '/: release .* is live/,$p')" "^warning: $told$"
like "so does its row" "$(newest error)" "^$told$"
like "and the status" "$("$slipway" status -C "$repo")" \
    "^  warning       $told$"

# The first deploy of all.
_sites=
repo=$T/first.git
root=$T/first
"$slipway" init "$repo" --root "$root" > /dev/null 2>&1
_sites="production:$root"
actions | config_trace
git -C "$work" remote set-url production "$repo"
commit index.html seven "seventh -nocheck-"
push --force main
not_ok "a first deploy that fails after the flip leaves no current" \
    test -L "$root/current"
is "its state" "$(newest state)" rolled-back
git -C "$work" commit -q --amend -m "seventh"
push --force main
is "the next one is live" "$(live_file index.html)" seven

# What has failed before something newer went live is not taken for it.
slip retry
isnt "retry does not take the site back by itself" "$status" 0
like "it says how" "$err" 'slipway retry N'

# A hook that frames migrations is none, and has no undo to be missed.
printf '#!/bin/sh\necho framed\n' | script deploy/before_migrate
push_file index.html eight "eighth"
push_file index.html nine "ninth -nocheck-"
like "its hook has run" "$banner" '\| framed'
is "a release with such a hook is rolled back" "$(newest state)" rolled-back
unlike "and nobody is asked for its undo" "$banner" 'before_migrate cannot'
is "what was live is live" "$(live_file index.html)" eight

# One that could not be set aside is, with the next deploy that goes live.
failed=$(newest release --state rolled-back)
mv "$root/.slipway/failed/$failed" "$root/releases/"
git -C "$work" commit -q --amend -m "ninth"
push --force main
is "what comes next is live" "$(live_file index.html)" nine
not_ok "it is no release any more" test -e "$root/releases/$failed"
ok "it is with those that failed" test -d "$root/.slipway/failed/$failed"
like "and show tells where" "$("$slipway" show -C "$repo" "$(sql "SELECT number
    FROM deploys WHERE release = '$failed'")")" \
    "^  kept in +$root/.slipway/failed/$failed\$"
done_testing
