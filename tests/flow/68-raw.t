#!/bin/sh
# What no git would push, but anybody can who may push: names that are none,
# refs that are said to be elsewhere, options for what git turns away.

. "$(dirname "$0")/../lib.sh"

zero=0000000000000000000000000000000000000000

# raw [-o OPTION]... 'OLD NEW REF'...
raw() {
	run perl "$here/tool/raw-push.pl" "$repo" "$work" "$@"
	check_invariants "after raw $*"
}

make_site
config <<EOF
[action wipe]
phase = build
directive = wipe
run = touch $T/wiped
EOF
push_file index.html one "first"
one=$(head_of)

# A name that leads to another file, of which git would hold a lock.
mkdir -p "$root/shared"
echo precious > "$root/shared/composer.lock"
touch -d '1 hour ago' "$root/shared/composer.lock" \
    "$repo/slipway/production.lock"
for name in "$(realpath --relative-to="$repo/refs" "$root/shared/composer")" \
    ../slipway/production heads/x/../../../slipway/production; do
	raw "$zero $one refs/$name"
	like "$name is no name" "$out$err" 'is no name for a ref; push to refs'
	ok "a file beside the site stays" test -e "$root/shared/composer.lock"
	ok "and one of Slipway" test -e "$repo/slipway/production.lock"
done
raw "$zero $one HEAD.lock"
like "nor is HEAD.lock" "$out$err" 'HEAD.lock is no name for a ref'

# A ref that is said to be elsewhere, and is where the push wants it: git
# turns it away, and the next push must not take it for one that has moved.
push_file index.html two "second"
two=$(head_of)
slip rollback
is "the first is live again" "$(live_file index.html)" one
raw -o wipe "$one $two refs/heads/main"
like "a stale push is refused by the gate" "$out$err" \
    'refs/heads/main is at [0-9a-f]{7} here, not at [0-9a-f]{7}:.*fetch, merge'
like "and told" "$out" '^ng refs/heads/main pre-receive hook declined'
raw -o wipe "$zero $two refs/heads/main"
like "so is one that would make it" "$out$err" 'is at .* here, not at 0000000'
printf '#!/bin/sh\nexit 1\n' > "$repo/hooks/update"
chmod +x "$repo/hooks/update"
raw -o wipe "$two $two refs/heads/main"
like "a push to where it is, which the update hook declines" "$out" \
    '^ng refs/heads/main hook declined'
rm "$repo/hooks/update"
push main:topic
wait_for 15 idle
is "nothing of it is deployed by the next push" "$(live_file index.html)" one
not_ok "and none of its options was heard" test -e "$T/wiped"
is "the journal knows that it did not land" "$(sql "SELECT group_concat(state)
    FROM (SELECT state FROM pushes WHERE options = 'wipe' ORDER BY id)")" \
    refused,refused,unlanded

# A lock is a dead git's only when no living one has still to move that ref.
cat > "$repo/hooks/reference-transaction" <<EOF
#!/bin/sh
[ "\$1" = prepared ] && grep -q refs/heads/slow && [ ! -e $T/held ] || exit 0
touch $T/held
for i in \$(seq 1200); do [ -e $T/go ] && exit 0; sleep 0.05; done
EOF
chmod +x "$repo/hooks/reference-transaction"
git -C "$work" push production main~1:refs/heads/slow > "$T/slow" 2>&1 &
slow=$!
started $slow
ok "a hook holds a lock" wait_for 20 test -e "$T/held"
touch -d '1 minute ago' "$repo/refs/heads/slow.lock"
push_raw main:refs/heads/slow
isnt "another push of that ref is turned away" "$status" 0
ok "the lock stays" test -e "$repo/refs/heads/slow.lock"
touch "$T/go"
wait $slow
is "the one that held it lands" $? 0
is "as it should" "$(git -C "$repo" rev-parse slow)" "$one"
rm "$repo/hooks/reference-transaction"
touch -d '1 minute ago' "$repo/refs/heads/slow.lock"
push main:refs/heads/slow
is_exit "and a dead one's does not stop the next push" 0

# That of the packed refs would keep everybody from deleting any.
push main:refs/heads/old main:refs/heads/older
git -C "$repo" pack-refs --all
touch -d '1 minute ago' "$repo/packed-refs.lock" "$repo/packed-refs.new"
push :old
is_exit "a dead one's lock on the packed refs stops no deletion" 0
cp "$(command -v sleep)" "$T/git"
(cd "$repo" && exec "$T/git" 1000) &
packer=$!
started $packer
wait_for 15 grep -q -x git "/proc/$packer/comm"
touch "$repo/packed-refs.lock"
push_raw :older
isnt "while a git lives that may hold it, it does" "$status" 0
ok "and stays" test -e "$repo/packed-refs.lock"
touch "$repo/refs/heads/slow.lock"
push_raw --force main~1:refs/heads/slow
isnt "so it is with the lock of a ref" "$status" 0
ok "whoever moves it" test -e "$repo/refs/heads/slow.lock"
kill $packer
push :older
is_exit "until that one has ended" 0
push --force main~1:refs/heads/slow
is_exit "for the other, too" 0
touch "$repo/refs/heads/slow.lock"
push main:refs/heads/slow
is_exit "the git that runs this hook holds none" 0

# A git elsewhere holds none, wherever its shell has been and whatever its
# repository is called; nor does one here that writes no ref.
mkfifo "$T/silent"
writer() {
	exec git "$@" update-ref --stdin <> "$T/silent"
}
lives() {
	started $!
	wait_for 15 grep -q '^git' "/proc/$!/comm" || diag "no git" "$@"
}
reader() {
	"$@" <> "$T/silent" > /dev/null &
	lives "$@"
}
# at_work WAY: a git that may move a ref here, when it is its turn.
at_work() {
	until [ -e "$T/turn.$1" ]; do sleep 0.05; done
	cd "$T" || exit
	case $1 in
	-C) writer -C "$repo" ;;
	--git-dir) writer --git-dir "$repo" ;;
	GIT_DIR) export GIT_DIR="$repo" && writer ;;
	hooks) cd "$repo/hooks" && writer ;;
	esac
}
ways="-C --git-dir GIT_DIR hooks"
for way in $ways; do
	at_work "$way" &
	started $!
	echo $! > "$T/pid.$way"
done
git init -q "$T/other"
git init -q --bare "$repo-archive"
git init -q --bare "$T/copy$repo"
(cd "$repo" && cd "$T/other" && export OLDPWD && writer) &
lives OLDPWD
(cd "$repo" && export PWD && writer -C "$T/other") &
lives PWD
(cd "$T" && writer --git-dir="$repo-archive") &
lives archive
(cd "$T" && export GIT_DIR="$repo-archive" && writer) &
lives GIT_DIR
(cd "$T" && writer --git-dir "$T/copy$repo") &
lives copy
reader git -C "$repo" -c core.abbrev=9 -p cat-file --batch
reader git --git-dir "$repo" cat-file --batch-check
reader git upload-pack "$repo"
reader "$(git --exec-path)/git-upload-pack" "$repo"
touch "$repo/refs/heads/slow.lock"
push --force main~1:refs/heads/slow
is_exit "neither those elsewhere nor who reads here" 0

# By now those that have their turn are older than such a lock.
for way in $ways; do
	touch "$T/turn.$way"
	pid=$(cat "$T/pid.$way")
	wait_for 15 grep -q -x git "/proc/$pid/comm" || diag "no git: $way"
	touch -d '5 seconds ago' "$repo/refs/heads/slow.lock"
	push_raw main:refs/heads/slow
	isnt "one that is here by $way does" "$status" 0
	kill "$pid"
done
push main:refs/heads/slow
is_exit "until the last of them has ended" 0
done_testing
