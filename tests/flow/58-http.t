#!/bin/sh
# The same over HTTP: git http-backend behind a real Apache, which knows
# who it is; and signed pushes, where each request is a connection.

[ -n "${TMPDIR-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/../lib.sh"
. "$here/httpd.sh"

make_site
start_httpd
push_file index.html one "first page"
is_exit "a push succeeds" 0
is "the page is live" "$(live_file index.html)" one
like "the phases are shown" "$banner" '^ *checkout +[0-9.]+ m?s'
is "it is whom the web server let in" "$(deploy 1 pusher)" alice
is "and how that is known is kept" "$(deploy 1 push.known_by)" REMOTE_USER
is "with the account that it ran as" "$(deploy 1 push.account)" "$http_user"
is "and the client's address" "$(deploy 1 push.origin)" 127.0.0.1
is "the author is somebody else" "$(deploy 1 author)" \
    "Alice <alice@example.org>"
http_as bob
push_file index.html two "second page"
is "another name is another one" "$(deploy 2 pusher)" bob
http_as bob wrong
commit index.html three "third page"
before=$(snapshot)
push
isnt "a wrong password is turned away" "$status" 0
is "and nothing has changed" "$(snapshot)" "$before"
http_as bob

# What a client says of itself is not what the server knows.
run git -C "$work" -c http.extraHeader="Remote-User: root" \
    -c http.extraHeader="GL_USER: root" -c http.extraHeader="GL-User: root" \
    push production main
check_invariants "after a push with headers"
is_exit "headers of a client are no harm" 0
is "and no name" "$(newest pusher)" bob

# Signed: the number that is signed was given out by another request.
ssh-keygen -q -t ed25519 -N '' -C bob -f "$T/bob"
git -C "$work" config gpg.format ssh
git -C "$work" config user.signingKey "$T/bob.pub"
config <<'EOF2'
require_signed_push = yes
EOF2
run "$slipway" init "$repo"
like "init allows for the time between requests" "$out" \
    'set receive.certNonceSlop = 300'
printf 'bob@example.org %s\n' "$(cat "$T/bob.pub")" >> "$repo/allowed_signers"
commit index.html four "fourth page"
push
is_exit "an unsigned push is refused" 1
push --signed main
is_exit "a signed one is taken" 0
is "and live" "$(live_file index.html)" four
is "the pusher is whom the server let in" "$(newest pusher)" bob
is "the signer is kept beside" "$(newest push.signer)" bob@example.org

# A number that is older than the server allows: of before the last second.
git -C "$repo" config receive.certNonceSlop 0
commit index.html five "fifth page"
git -C "$work" config user.signingKey "$T/slow.pub"
cp "$T/bob.pub" "$T/slow.pub"
cat > "$T/slow-sign" <<'EOF2'
#!/bin/sh
# Signs in another second than the one that the number was given out in.
now=$(date +%s)
until [ "$(date +%s)" -gt "$((now + 1))" ]; do
	sleep 0.1
done
cp "${0%/*}/bob" "${0%/*}/slow"
exec ssh-keygen "$@"
EOF2
chmod +x "$T/slow-sign"
git -C "$work" config gpg.ssh.program "$T/slow-sign"
push --signed main
is_exit "one that was signed too long ago is refused" 1
like "with what to do" "$banner" \
    'signed too long ago for this connection; push again, or enlarge'
git -C "$repo" config receive.certNonceSlop 60
push --signed main
is_exit "within the time it is taken" 0
is "and live" "$(live_file index.html)" five
done_testing
