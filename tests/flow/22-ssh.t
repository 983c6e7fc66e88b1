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
print=$(ssh-keygen -lf "$T/ssh/alice.pub" | cut -d ' ' -f 2)
is "it is whose key it was" "$(deploy 1 pusher)" "$print"
is "and how that is known is kept" "$(deploy 1 push.known_by)" "ssh key"
is "with the key" "$(deploy 1 push.ssh_key)" "$print"
is "and the account" "$(deploy 1 push.account)" "$(id -un)"
is "the author is" "$(deploy 1 author)" "Alice <alice@example.org>"

# Who it is can be said by the server, for each key.
printf 'restrict,environment="REMOTE_USER=bob" %s\n' \
    "$(cat "$T/ssh/alice.pub")" > "$T/ssh/authorized_keys"
push_file index.html two "second page"
is_exit "a key with restrictions can push" 0
is "the second page is live" "$(live_file index.html)" two
is "it is whom the server says" "$(deploy 2 pusher)" bob
like "a command is told to be for the server" "$banner" \
    "roll back +on the server: slipway rollback -C $repo -e production"
like "and what git alone can do" "$banner" \
    'or git push REMOTE :refs/deploy/production/rollback'
is "the address is kept, too" \
    "$(sql 'SELECT DISTINCT origin FROM pushes')" 127.0.0.1
slip show
like "and shown" "$out" 'pushed from +127\.0\.0\.1'
known_by() {
	printf '%s\n' "$out" | sed -n 's/^  known by  *//p'
}
is "with how the name is known" "$(known_by)" \
    "REMOTE_USER, ssh key $print, as $(id -un)"

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
like "and how to have it again without a login" "$banner" \
    "^ +or git push REMOTE $(head_of | cut -c 1-7):refs/deploy/production/now$"
is "the third page is live" "$(live_file index.html)" three

# A key that an authority of the house vouches for has the name from there.
sed -i 's/exit 3$/exit 0/' "$repo/slipway.ini"
ssh-keygen -q -t ed25519 -N '' -C ca -f "$T/ssh/ca"
ssh-keygen -q -s "$T/ssh/ca" -I carol -n "$(id -un)" "$T/ssh/alice.pub"
printf 'cert-authority %s\n' "$(cat "$T/ssh/ca.pub")" \
    > "$T/ssh/authorized_keys"
push_file index.html certified "certified page"
is_exit "a push with a certificate of ssh" 0
is "has the name that its authority gave it" "$(newest pusher)" carol
is "and the fingerprint of its key" "$(newest push.ssh_key)" "$print"
rm "$T/ssh/alice-cert.pub"

# The name of a key is its comment in the account's authorized_keys, which
# lies in a home folder that only a namespace of our own can give it.
comment_home() {
	[ "$(id -u)" -eq 0 ] && unshare -m true 2> /dev/null || return 1
	account_home=$(getent passwd "$(id -un)" | cut -d : -f 6)
	case $build/ in
	"$account_home"/*) return 1 ;;
	esac
	mkdir -m 700 "$T/account" "$T/account/.ssh"
	cp "$T/ssh/alice.pub" "$T/account/.ssh/authorized_keys"
	kill "$sshd_pid"
	wait_for 10 ended "$sshd_pid"
	: > "$T/ssh/log"
	unshare -m sh -c 'mount --bind "$1" "$2" && exec "$3" -D -e -f "$4"' \
	    sh "$T/account" "$account_home" "$_sshd" "$T/ssh/config" \
	    2> "$T/ssh/log" &
	sshd_pid=$!
	started "$sshd_pid"
	wait_for 10 grep -q 'Server listening' "$T/ssh/log"
}
cp "$T/ssh/alice.pub" "$T/ssh/authorized_keys"
if comment_home; then
	push_file index.html five "fifth page"
	is "the comment of a key is its name" "$(newest pusher)" alice@laptop
	is "the fingerprint is kept beside it" "$(newest push.ssh_key)" \
	    "$print"
	run "$slipway" show -C "$repo"
	is "and shown" "$(known_by)" "ssh key $print, as $(id -un)"
	sed 's/alice@laptop/\x1b]0;owned\x07\xe2\x80\xaegpj/' \
	    "$T/ssh/alice.pub" > "$T/account/.ssh/authorized_keys"
	push_file index.html six "sixth page"
	run "$slipway" log -C "$repo" --format '{pusher}'
	like "a comment cannot steer a terminal" "$out" \
	    '[\]x1b]0;owned[\]x07[\]xe2[\]x80[\]xaegpj'
	like "nor a note" "$(git -C "$repo" notes --ref=deploys show \
	    "$(head_of)")" 'by [\]x1b]0;owned'
else
	pass "the comment of a key is its name # SKIP not root here"
fi

# Which of them counts, where several tell.
git -C "$work" remote set-url production "$repo"
printf 'publickey %s\n' "$(cut -d ' ' -f 1,2 "$T/ssh/alice.pub")" \
    > "$T/auth"
ln -s auth "$T/link"
cp "$T/auth" "$T/foreign"
chown nobody "$T/foreign" 2> /dev/null || rm "$T/foreign"
while read -r name how variables; do
	put index.html "$name, $how, $variables"
	git -C "$work" commit -q -m "by somebody" --author "root <root@host>"
	# shellcheck disable=SC2086 # several variables
	run env $variables git -C "$work" push production main
	is "$variables: the name" "$(newest pusher)" "$name"
	is "$variables: how" "$(newest push.known_by | tr -d ' ')" "$how"
done <<EOF
gina GL_USER GL_USER=gina REMOTE_USER=rita SSH_USER_AUTH=$T/auth
rita REMOTE_USER GL_USER= REMOTE_USER=rita SSH_USER_AUTH=$T/auth
$print sshkey SSH_USER_AUTH=$T/auth
$(id -un) account SSH_USER_AUTH=$T/link
$(id -un) account SSH_USER_AUTH=$T/foreign
$(id -un) account SSH_USER_AUTH=/dev/zero GIT_AUTHOR_NAME=mallory
$(id -un) account USER=mallory LOGNAME=mallory GIT_COMMITTER_NAME=mallory
EOF
check_invariants "after several names"
done_testing
