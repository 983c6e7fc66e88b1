#!/bin/sh
# Commands: their order, their surroundings, and their end.

. "$(dirname "$0")/../lib.sh"

make_site
config_trace <<'EOF'
env.COLOUR = app
env.SHAPE = "round; very"

[action b2]
phase = build
run = echo b2 >> "$TRACE"

[action notify]
phase = notify
run = echo notify >> "$TRACE"

[action clear]
phase = clear
run = echo clear >> "$TRACE"

[action b1]
phase = build
run = echo b1 >> "$TRACE"

[action bundle]
phase = bundle
run = echo bundle >> "$TRACE"

[action flip]
phase = symlink
run = echo "symlink $(basename "$(readlink "$SLIPWAY_CURRENT")")" >> "$TRACE"

[action migrate]
phase = migrate
run = echo "migrate $(basename "$(readlink "$SLIPWAY_CURRENT")")" >> "$TRACE"
EOF
for phase in fetch checkout configure bundle build test backup maintenance \
    migrate symlink restart clear verify contract publish cleanup notify; do
	for side in before after; do
		script "deploy/${side}_$phase" <<-EOF
		#!/bin/sh
		echo ${side}_$phase >> "\$TRACE"
		EOF
	done
done
echo 'not a program' > "$work/deploy/README"
git -C "$work" add deploy
push_file index.html one "first"
is_exit "a push with every hook" 0
release=$(current)
# Before checkout is done there is no release that could have hooks.
is "everything runs once, in the order of the phases" \
    "$(trace | sed 's/ $//' |
	grep -v -x -e before_fetch -e after_fetch -e before_checkout |
	paste -s -d ' ')" \
    "$(echo after_checkout before_configure after_configure \
	before_bundle bundle after_bundle before_build b2 b1 after_build \
	before_test after_test before_backup after_backup \
	before_maintenance after_maintenance \
	before_migrate migrate after_migrate \
	before_symlink symlink "$release" after_symlink \
	before_restart after_restart before_clear clear after_clear \
	before_verify after_verify before_contract after_contract \
	before_publish after_publish before_cleanup after_cleanup \
	before_notify notify after_notify)"

: > "$T/trace"
chmod -x "$work/deploy/before_build"
git -C "$work" add deploy
push_file index.html two "second"
unlike "a hook that is not executable does not run" "$(trace)" before_build
is "which is told once, with what to do" "$(printf '%s\n' "$banner" |
    grep -c 'deploy/before_build is not executable: git update-index --chmod')" 1
git -C "$work" mv deploy/before_test deploy/before_tset
push_file index.html misnamed "misnamed"
like "so is one that names no phase" "$banner" \
    'deploy/before_tset names no phase \(did you mean before_test\?\)'
like "and one that comes too early" "$banner" \
    'deploy/before_fetch comes before there is a release'
like "before the flip the old release is current" "$(trace)" \
    "migrate $release"
like "after it the new one is" "$(trace)" "symlink $(current)"
script deploy/before_restart <<'EOF'
#!/bin/sh
exit 1
EOF
push_file index.html failing "failing"
like "when a deploy fails" "$banner" 'before_restart'
is "it is told once, though the old release has the file, too" \
    "$(printf '%s\n' "$banner" | grep -c 'deploy/before_tset names')" 1

# What a command sees.
git -C "$work" rm -rfq deploy
export LEAK=leaked GIT_TRACE2_LEAK=1
config_trace <<'EOF'
env.COLOUR = app
env.SHAPE = "round; very"

[action look]
phase = build
env.COLOUR = action
run = env -0 | sort -z | tr '\0\n' '\n~' > "$TRACE"

[action where]
phase = test
run = pwd; ls -l /proc/self/fd | sed 's/.* -> /fd /'; cat; echo eof
EOF
push_file index.html three "third, with a
second line"
n=$(newest deploy)
names=$(sed -n 's/^\([A-Za-z_0-9]*\)=.*/\1/p' "$T/trace" |
    grep -v -x -e PWD -e OLDPWD -e SHLVL -e _ | sort | paste -s -d ' ')
is "the environment of a command is exactly this" "$names" \
    "$(printf '%s\n' COLOUR SHAPE TRACE PATH HOME USER LANG TZ \
	SLIPWAY_APP SLIPWAY_ENVIRONMENT SLIPWAY_DEPLOY SLIPWAY_RELEASE \
	SLIPWAY_PREVIOUS SLIPWAY_CURRENT SLIPWAY_SHARED SLIPWAY_COMMIT \
	SLIPWAY_COMMIT_SHORT SLIPWAY_BRANCH SLIPWAY_AUTHOR SLIPWAY_DATE \
	SLIPWAY_MESSAGE SLIPWAY_PUSHER SLIPWAY_DIRECTIVES \
	SLIPWAY_ARGUMENT SLIPWAY_HOST SLIPWAY_ROLES SLIPWAY_BACKUP_DIR |
	LC_ALL=C.UTF-8 sort | paste -s -d ' ')"
sees() {
	like "it sees $1" "$(trace)" "^$1=$2\$"
}
sees COLOUR action
sees SHAPE '"round; very"'
sees SLIPWAY_APP shop
sees SLIPWAY_ENVIRONMENT production
sees SLIPWAY_DEPLOY "$n"
sees SLIPWAY_COMMIT "$(head_of)"
sees SLIPWAY_COMMIT_SHORT "$(head_of | cut -c 1-7)[0-9a-f]*"
sees SLIPWAY_BRANCH main
sees SLIPWAY_AUTHOR 'Alice <alice@example.org>'
sees SLIPWAY_MESSAGE 'third, with a~second line~?'
sees SLIPWAY_HOST local
sees SLIPWAY_CURRENT "$root/current"
sees SLIPWAY_SHARED "$root/shared"
like "it runs in the release" "$banner" "\| $root/releases/$(current)\$"
is "stdin is empty, and the three descriptors are open, and the note" \
    "$(printf '%s\n' "$banner" | sed -n 's/^.*| fd //p' |
	sed 's/^\(pipe\|socket\):.*/pipe/; /^\/proc\//d' | sort |
	paste -s -d ' ')" "/dev/null $root/.slipway/running pipe pipe"
like "so that reading ends at once" "$banner" '\| eof$'
unset LEAK GIT_TRACE2_LEAK

# The end of a command.
config_trace <<'EOF'
[action slow]
phase = build
directive = slow
timeout = 1s
run = sleep 600 & setsid sleep 601 & (trap '' TERM; sleep 602) & echo $! >> "$TRACE"; echo going; sleep 603

[action loud]
phase = build
directive = loud
run = yes 'a line of thirty characters...' | head -n 400000

[action daemon]
phase = restart
directive = daemon
run = (trap '' HUP; exec sleep 60) & echo $! > "$TRACE"; echo "left behind"

[action odd]
phase = build
directive = odd
run = printf 'one\r\ntwo\000three\n\033[31mred\n'; printf 'no newline'
EOF
live=$(current)
start=$(date +%s)
push_raw_file() {
	commit "$1" "$2" "$3"
	push_raw
}
push_raw_file index.html slow "fourth -slow-"
took=$(($(date +%s) - start))
check_invariants "after a deadline"
like "what it said until then is shown" "$banner" '\| going'
like "a command is ended at its deadline" "$banner" 'timed out'
ok "and not much later ($took s)" test "$took" -le 12
is "the old release is live" "$(current)" "$live"
sleepers() {
	for proc in /proc/[0-9]*; do
		tr '\0' ' ' < "$proc/cmdline" 2>/dev/null |
		    grep -q '^sleep 60[0-3] $' || continue
		case $(readlink "$proc/cwd") in
		"$T"/*) echo "$proc" ;;
		esac
	done
}
no_sleepers() {
	[ -z "$(sleepers)" ]
}
ok "with everything that it started" wait_for 5 no_sleepers

# What a failed deploy was asked for is asked for again.
sed -i "s/^run = sleep 600 .*/run = true/" "$repo/slipway.ini"
: > "$T/trace"
push_raw_file index.html loud "fifth -loud-"
check_invariants "after much output"
n=$(newest deploy)
ok "much output does no harm" test "$(live_file index.html)" = loud
log=$repo/slipway/log/$n.jsonl
ok "the log is capped" test "$(stat -c %s "$log")" -lt 9000000
like "and says so" "$(grep -v '"text":"a line of thirty' "$log")" \
    '(more|cut|left out|dropped|capped|truncated|suppressed)'

start=$(date +%s)
push_raw_file index.html daemon "sixth -daemon-"
took=$(($(date +%s) - start))
started "$(trace)"
ok "a daemon does not hold the push ($took s)" test "$took" -le 8
ok "and is left alone" kill -0 "$(trace)"
kill "$(trace)"
check_invariants "after a daemon was left behind"

push_raw_file index.html odd "seventh -odd-"
check_invariants "after odd output"
like "a line has its time and its host in the log" \
    "$(grep '"text":"no newline"' "$repo/slipway/log/$(newest deploy).jsonl")" \
    '"at":"20[^"]*Z","event":"output","phase":"build","action":"odd","host":"local"'
like "a carriage return ends nothing" "$banner" '\| one'
like "a last line without newline is kept" "$banner" '\| no newline'
not_ok "no escape reaches the terminal" grep -q "$(printf '\033')\[31" \
    "$T/.err"
done_testing
