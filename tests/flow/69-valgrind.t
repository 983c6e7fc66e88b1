#!/bin/sh
# Hooks, runner and agent under valgrind, during a push and a rollback that
# undoes it: no error, and no memory that is lost.

. "$(dirname "$0")/../lib.sh"

[ -z "${SLIPWAY_SANITIZE-}" ] ||
    skip_all "programs with sanitizers do not run under valgrind"
command -v valgrind >/dev/null || skip_all "there is no valgrind"

make_site
config <<'EOF'
shared = uploads/

[action updb]
phase = migrate
directive = updb
run = echo up; echo 2 > "$SLIPWAY_SHARED/state"
undo = echo down "$SLIPWAY_RECORD"
record = echo none

[action cc]
phase = clear
run = echo cleared
EOF
mkdir -p "$root/shared/uploads"
push_file index.html one "first page"

# Each hook with all that it starts, but neither git nor a shell.
logs=$T/valgrind
mkdir "$logs"
for hook in pre-receive proc-receive post-receive post-update; do
	rm "$repo/hooks/$hook"
	cat > "$repo/hooks/$hook" <<-EOF
		#!/bin/sh
		exec valgrind --trace-children=yes \\
		    --trace-children-skip='/bin/*,/usr/*' --leak-check=full \\
		    --show-leak-kinds=definite --log-file='$logs/%p-%n' \\
		    --errors-for-leak-kinds=definite '$build/bin/$hook' "\$@"
	EOF
	chmod +x "$repo/hooks/$hook"
done

# No process writes into any of the logs.
all_ended() {
	! find /proc/[0-9]*/fd -lname "$logs/*" 2>/dev/null | grep -q .
}

# ran COMMAND: processes that began as this came to their end.
ran() {
	grep -l "Command: $build/bin/$1" "$logs"/* |
	    xargs grep -q 'ERROR SUMMARY'
}

push_file index.html two "with a migration -updb-"
is "a push is live" "$(live_file index.html)" two
push :refs/deploy/rollback
is "a rollback is live" "$(live_file index.html)" one

ok "all of them end" wait_for 30 all_ended
for role in pre-receive post-receive post-update proc-receive \
    'slipway -C .* runner' 'slipway agent'; do
	ok "$role was seen" ran "$role"
done
errors=$(grep -h 'ERROR SUMMARY' "$logs"/* | grep -v -c ': 0 errors')
is "there is no error, and nothing is lost" "$errors" 0 ||
    diag "$(grep -l 'ERROR SUMMARY: [1-9]' "$logs"/* | xargs head -n 60)"
done_testing
