#!/bin/sh
# The same over ssh: a real sshd, a real key, and who pushed.

. "$(dirname "$0")/../lib.sh"

make_site
start_sshd
config_trace <<'EOF'
[action env]
phase = build
run = env > "$TRACE"

[action updb]
phase = migrate
directive = updb
run = echo "3 updates applied"
EOF
push_file index.html one "first page -updb-"
is_exit "the push succeeds" 0
is "the page is live" "$(live_file index.html)" one
like "the phases are shown" "$banner" '^ *checkout +[0-9.]+ m?s'
like "the output, too" "$banner" '3 updates applied'
like "what is live" "$banner" "production: release $(current) is live"
like "the window" "$banner" 'window [0-9.]+ m?s'
unlike "nothing of ssh reaches a command" "$(trace)" '^(SSH|GIT)_'
is "the deploy knows who pushed" "$(deploy 1 pusher)" \
    "$(sed -n 's/^SLIPWAY_PUSHER=//p' "$T/trace")"
is "it is whose key it was" "$(deploy 1 pusher)" \
    "$(ssh-keygen -lf "$T/ssh/alice.pub" | cut -d ' ' -f 2)"
is "the author is" "$(deploy 1 author)" "Alice <alice@example.org>"

# Who it is can be said by the server, for each key.
printf 'restrict,environment="REMOTE_USER=bob" %s\n' \
    "$(cat "$T/ssh/alice.pub")" > "$T/ssh/authorized_keys"
push_file index.html two "second page"
is_exit "a key with restrictions can push" 0
is "the second page is live" "$(live_file index.html)" two
is "it is whom the server says" "$(deploy 2 pusher)" bob
is "the address is kept, too" \
    "$(sql 'SELECT DISTINCT origin FROM pushes')" 127.0.0.1
slip show
like "and shown" "$out" 'pushed from +127\.0\.0\.1'

# A push option crosses ssh.
push_file index.html three "third page" -o updb main
is_exit "a push with an option succeeds" 0
like "its action ran" "$banner" '3 updates applied'

# Failure has words, too, and git has moved the ref.
cat >> "$repo/slipway.ini" <<'EOF'

[action fails]
phase = test
directive = fails
run = echo "the tests failed"; exit 3
EOF
push_file index.html four "fourth page -fails-"
like "a failure is told" "$banner" "error: deploy 4 failed at test"
like "and what is live" "$banner" "is still live"
is "the third page is live" "$(live_file index.html)" three
done_testing
