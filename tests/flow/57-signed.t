#!/bin/sh
# Signed pushes, with real ssh keys: who signed is kept, and an environment
# can take nothing else.

[ -n "${TMPDIR-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/../lib.sh"

command -v ssh-keygen > /dev/null || skip_all "there is no ssh-keygen"
make_site
keys=$T/keys
mkdir -m 700 "$keys"
for name in alice mallory; do
	ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$keys/$name"
done
fingerprint() {
	ssh-keygen -lf "$keys/$1.pub" | cut -d ' ' -f 2
}
git -C "$work" config gpg.format ssh
git -C "$work" config user.signingKey "$keys/alice"
config < /dev/null
push_file index.html one "first"
is_exit "nothing is signed as long as nobody wants it" 0

# Switched on before git here knows of it.
config <<'EOF2'
require_signed_push = yes
EOF2
commit index.html two "second"
before=$(snapshot)
push
is_exit "an unsigned push is refused" 1
like "with the command that is missing" "$banner" \
    "error: production takes signed pushes alone.*slipway init $repo"
is "and nothing has changed" "$(snapshot)" "$before"
run "$slipway" init "$repo"
is_exit "init makes git take them" 0
like "draws a seed" "$out" 'set receive.certNonceSeed, at random'
like "and writes a file for the keys" "$out" "wrote $repo/allowed_signers"
seed=$(git -C "$repo" config receive.certNonceSeed)
is "of 32 bytes" "${#seed}" 64
unlike "that is told to nobody" "$out$err" "$seed"
is "nor read by others" "$(stat -c %a "$repo/config")" 600
run "$slipway" init "$repo"
like "once is enough" "$out" 'nothing was changed'
is "the seed stays" "$(git -C "$repo" config receive.certNonceSeed)" "$seed"

push
is_exit "an unsigned push is refused still" 1
like "now with what to do" "$banner" 'this one is not: git push --signed'
run "$slipway" status -C "$repo"
like "which status has on one line" "$out" \
    'in your clone: git config gpg.format ssh; git config user.signingKey'
is "in three lines to copy" "$(printf '%s\n' "$banner" |
    grep -c '^error:   git config [a-zA-Z]*[.][a-zA-Z]* ')" 3
push --signed main
is_exit "a key that nobody here knows is refused" 1
like "with where it belongs" "$banner" \
    "gpg.ssh.allowedSignersFile on the server .$repo/allowed_signers. has"
like "the key is named" "$banner" \
    "counts for nothing: its key $(fingerprint alice | tr + .) is none that is"
like "and the line" "$banner" 'error:     EMAIL namespaces="git" ssh-ed25519'
is "and nothing has changed" "$(snapshot)" "$before"

# With the key in its place.
printf 'alice@example.org namespaces="git" %s\n' \
    "$(cat "$keys/alice.pub")" >> "$repo/allowed_signers"
push --signed main
is_exit "a good signature is taken" 0
is "and deployed" "$(live_file index.html)" two
n=$(newest deploy)
is "the signer" "$(deploy "$n" push.signer)" alice@example.org
is "with the key" "$(deploy "$n" push.signing_key)" "$(fingerprint alice)"
is "is who pushed, where nothing else tells" "$(deploy "$n" pusher)" \
    alice@example.org
is "and it is told how that is known" "$(deploy "$n" push.known_by)" \
    certificate
run "$slipway" show -C "$repo" "$n"
is "people are shown it, too" \
    "$(printf '%s\n' "$out" | sed -n 's/^  signed by  *//p')" \
    "alice@example.org, key $(fingerprint alice)"
like "with the account" "$out" "known by +certificate, as $(id -un)"

# Its evidence.
push_id=$(deploy "$n" push.push)
cert=$(deploy "$n" push.certificate)
is "the blob is kept by a ref" \
    "$(git -C "$repo" rev-parse "refs/slipway/certs/$push_id")" "$cert"
git -C "$repo" cat-file blob "$cert" > "$T/cert"
sql "SELECT cert_text FROM pushers WHERE push = $push_id" > "$T/text"
ok "the journal has the same text" sh -c 'head -c "$(stat -c %s "$1")" "$2" |
    cmp - "$1"' sh "$T/cert" "$T/text"
like "it says what was wanted" "$(cat "$T/cert")" \
    "$(head_of HEAD~1) $(head_of) refs/heads/main"
# As the manual says.
sed '/^-----BEGIN/,$d' "$T/cert" > "$T/cert.text"
sed -n '/^-----BEGIN/,$p' "$T/cert" > "$T/cert.sig"
ok "and can be checked without us" sh -c 'ssh-keygen -Y verify -n git \
    -f "$1" -I alice@example.org -s "$2.sig" < "$2.text"' sh \
    "$repo/allowed_signers" "$T/cert"
git -C "$repo" gc -q --prune=now
ok "gc leaves it" git -C "$repo" cat-file -e "$cert"
unlike "and nobody sees it" "$(git ls-remote "$repo")" slipway/certs
push "$cert:refs/slipway/certs/$push_id"
isnt "or overwrites it" "$status" 0
run "$slipway" verify -C "$repo"
is_exit "the chain holds" 0
sql "UPDATE pushers SET signer = 'mallory@example.org'"
run "$slipway" verify -C "$repo"
is_exit "an edit of it is found" 1
like "with its push" "$out" "pusher [0-9]+ is not what its last event says"
sql "UPDATE pushers SET signer = 'alice@example.org' WHERE signer IS NOT NULL
    AND cert = '$cert'; UPDATE pushers SET signer = NULL WHERE cert IS NULL
    OR fault IS NOT NULL"

# Bad ones: somebody else's key, a key of another purpose, a wrong number.
git -C "$work" config user.signingKey "$keys/mallory"
commit index.html three "third"
before=$(snapshot)
push --signed main
is_exit "somebody else's key is refused" 1
is "the journal knows whose it is not" \
    "$(sql 'SELECT signer IS NULL AND fault IS NOT NULL FROM pushers
        ORDER BY push DESC LIMIT 1')" 1
git -C "$work" config user.signingKey "$keys/alice"
sed -i 's/namespaces="git"/namespaces="file"/' "$repo/allowed_signers"
push --signed main
is_exit "a key for another purpose is refused" 1
sed -i 's/namespaces="file"/namespaces="git"/' "$repo/allowed_signers"

# replay [--fresh] REPO FILE: hand a certificate to git-receive-pack ourselves.
replay() {
	run perl "$here/tool/signed-push.pl" "$@"
	check_invariants "after a certificate of our own"
}
replay "$repo" "$T/cert"
like "an old certificate is refused" "$out" \
    'answers another connection: it was sent a second time'
like "by the hook" "$out" 'pre-receive hook declined'
is "and nothing has changed" "$(snapshot)" "$before"
replay --fresh "$repo" "$T/cert"
like "with the right number its signature is bad" "$out" \
    'counts for nothing: its signature is bad'
is "and nothing has changed" "$(snapshot)" "$before"

# What the environment of a client says is not git's word.
run env GIT_PUSH_CERT="$cert" GIT_PUSH_CERT_STATUS=G \
    GIT_PUSH_CERT_NONCE_STATUS=OK GIT_PUSH_CERT_SIGNER=root \
    GIT_PUSH_CERT_KEY=none git -C "$work" push production main
is_exit "variables of a client sign nothing" 1
like "as little as no signature" "$err" 'this one is not: git push --signed'

run env GIT_PUSH_CERT_NONCE_STATUS=OK git -C "$work" push --signed \
    production main
is_exit "nor do those that git would say otherwise" 1
like "which is told" "$err" \
    'counts for nothing: git was started with GIT_PUSH_CERT_NONCE_STATUS in'
git -C "$repo" config --unset receive.certNonceSeed
export GIT_PUSH_CERT_NONCE_STATUS=OK
replay "$repo" "$T/cert"
unset GIT_PUSH_CERT_NONCE_STATUS
like "where git gave out no number they are no number" "$out" \
    'counts for nothing: git was started with GIT_PUSH_CERT_NONCE_STATUS in'
git -C "$repo" config receive.certNonceSeed "$seed"
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=a.b GIT_CONFIG_VALUE_0=c
replay "$repo" "$T/cert"
unset GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
like "nor does a config of the client" "$out" \
    'counts for nothing: git was started with GIT_CONFIG_COUNT in'
for name in GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM XDG_CONFIG_HOME GNUPGHOME; do
	push --receive-pack="env $name=$T/elsewhere git receive-pack" \
	    --signed main
	like "nor by $name" "$banner" \
	    "counts for nothing: git was started with $name in"
done
# More of an environment than is read.
cat > "$T/stuffed" <<'EOF2'
$ENV{"STUFF$_"} = 'x' x 120000 for 1 .. 40;
exec @ARGV;
EOF2
run sh -c 'ulimit -s unlimited && exec "$@"' sh perl "$T/stuffed" true
if [ "$status" -eq 0 ]; then
	run sh -c 'ulimit -s unlimited && exec "$@"' sh \
	    env GIT_PUSH_CERT="$cert" GIT_PUSH_CERT_STATUS=G \
	    GIT_PUSH_CERT_NONCE_STATUS=OK GIT_PUSH_CERT_SIGNER=root \
	    perl "$T/stuffed" git -C "$work" push production main
	is_exit "one that cannot be read signs nothing" 1
	like "either" "$err" 'this one is not: git push --signed'
else
	pass "a large environment # SKIP there can be none here"
fi
is "nothing has changed" "$(snapshot)" "$before"

# Verbs move the environment, too; to ask for the plan moves nothing.
push main:refs/deploy/now
isnt "refs/deploy/now has to be signed" "$status" 0
push :refs/deploy/rollback
isnt "and a rollback" "$status" 0
git -C "$repo" symbolic-ref refs/heads/alias refs/heads/main
push main:alias
is_exit "nor is there another way to the branch" 1
git -C "$repo" symbolic-ref -d refs/heads/alias
push main:refs/deploy/plan
is_exit "a plan need not be" 0
push main:refs/heads/topic
is_exit "nor another branch" 0
push --signed main:refs/deploy/now
is_exit "signed, it is deployed" 0
is "the third" "$(live_file index.html)" three
is "with its signer" "$(newest push.signer)" alice@example.org

push --signed main
is_exit "the branch follows" 0

# Keys of GnuPG: those of the account's keyring.
gpg_key() {
	command -v gpg > /dev/null || return 1
	mkdir -m 700 "$HOME/.gnupg" "$T/gnupg"
	printf 'allow-loopback-pinentry\n' > "$T/gnupg/gpg-agent.conf"
	gpg --homedir "$T/gnupg" --batch --quiet --passphrase '' \
	    --quick-generate-key 'Gina <gina@example.org>' default sign never &&
	    gpg --homedir "$T/gnupg" --export > "$T/gina.gpg"
}
if gpg_key 2> "$T/gpg.err"; then
	cat > "$T/gpg" <<EOF2
#!/bin/sh
exec gpg --homedir $T/gnupg --batch "\$@"
EOF2
	chmod +x "$T/gpg"
	git -C "$work" config gpg.format openpgp
	git -C "$work" config gpg.program "$T/gpg"
	git -C "$work" config user.signingKey gina@example.org
	commit index.html gnupg "with a key of GnuPG"
	push --signed main
	is_exit "a key of GnuPG that nobody here knows is refused" 1
	gpg --batch --quiet --import "$T/gina.gpg"
	push --signed main
	is_exit "one of the keyring is taken" 0
	is "with the name in it" "$(newest push.signer)" \
	    "Gina <gina@example.org>"
	gpgconf --homedir "$T/gnupg" --kill all
	gpgconf --kill all
	git -C "$work" config gpg.format ssh
	git -C "$work" config user.signingKey "$keys/alice.pub"
else
	pass "a key of GnuPG # SKIP there is no gpg: $(head -n 1 "$T/gpg.err")"
fi

# In a transactional environment; and the seed of another place counts.
config <<'EOF2'
require_signed_push = yes
transactional = yes
EOF2
run "$slipway" init "$repo"
commit index.html four "fourth"
push
is_exit "transactional: an unsigned push is refused" 1
push --signed main
is_exit "a signed one is deployed" 0
is "and live" "$(live_file index.html)" four
ok "its certificate is kept" git -C "$repo" rev-parse -q --verify \
    "refs/slipway/certs/$(newest push.push)"
git init -q --bare "$T/other.git"
git config --global receive.certNonceSeed elsewhere
run "$slipway" init "$T/other.git" --root "$T/other"
sed -i 's/^; require_signed_push.*/require_signed_push = yes/' \
    "$T/other.git/slipway.ini"
run "$slipway" init "$T/other.git"
is_exit "init takes a seed of the whole account" 0
unlike "as it is" "$out" 'at random'
is "and leaves the config as readable as it was" \
    "$(stat -c %a "$T/other.git/config")" 644

# One certificate again, as a server that takes numbers of the last minutes
# would let pass: git calls it good, and it has come before.
n=$(newest push.push)
cert=$(git -C "$repo" rev-parse "refs/slipway/certs/$n")
main=$(git -C "$repo" rev-parse main)
config <<'EOF2'
require_signed_push = yes
EOF2
commit index.html five "fifth"
git -C "$work" push -q "$repo" HEAD:refs/heads/other
again() {
	(cd "$repo" && echo "$main $(head_of) refs/heads/main" |
	    GIT_DIR=. GIT_PUSH_CERT="$1" GIT_PUSH_CERT_STATUS=G \
	    GIT_PUSH_CERT_SIGNER=alice@example.org \
	    GIT_PUSH_CERT_NONCE_STATUS=OK hooks/pre-receive)
}
run again "$cert"
is_exit "a certificate that was used" 1
like "counts for nothing" "$out$err" "it came with push $n already"
is "and is not who pushed" "$(sql 'SELECT pusher FROM pushes
    ORDER BY id DESC LIMIT 1')" "$(id -un)"
run again "$( (git -C "$repo" cat-file blob "$cert"; echo) |
    git -C "$repo" hash-object -w --stdin)"
is_exit "another one does not" 0
done_testing
