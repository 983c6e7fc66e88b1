#!/bin/sh
# slipway init: creates or adopts a repository, and can be taken back.

. "$(dirname "$0")/../lib.sh"

repo=$T/new.git
root=$T/srv
work=$T/work
run "$slipway" init "$repo" --root "$root"
is_exit "init creates a repository" 0
is "it is bare" "$(git -C "$repo" rev-parse --is-bare-repository)" true
like "it says what to type next" "$out$err" 'git push production main'
like "it names the remote to add" "$out$err" "git remote add production"
is "the branch that HEAD names is the deployed one" \
    "$(git -C "$repo" symbolic-ref HEAD)" refs/heads/main
ok "releases/ is there" test -d "$root/releases"
ok "shared/ is there" test -d "$root/shared"
for hook in pre-receive post-receive post-update; do
	ok "$hook is a link" test -L "$repo/hooks/$hook"
	ok "$hook can be run" test -x "$repo/hooks/$hook"
	is "$hook is the installed program" \
	    "$(readlink -f "$repo/hooks/$hook")" \
	    "$(readlink -f "$build/bin/$hook")"
done

get() {
	git -C "$repo" config --get-all "$1"
}
is "objects are checked" "$(get receive.fsckObjects)" true
is "push options are offered" "$(get receive.advertisePushOptions)" true
like "refs are synced" "$(get core.fsync)" reference
is "reflogs are kept" "$(get core.logAllRefUpdates)" true
like "our refs are hidden" \
    "$(get receive.hideRefs; get transfer.hideRefs)" refs/slipway

ini=$repo/slipway.ini
is "slipway.ini is for its owner to write" "$(stat -c %a "$ini")" 644
is "it sets what init was told" \
    "$(sed -n '/^[a-z]/p' "$ini" | tr -d ' ' | sort | paste -s -d ' ')" \
    "branch=main name=new root=$root"
for key in shared keep keep_failed export strict phase run directive when \
    undo record role once timeout retry memory nice; do
	ok "it explains $key" grep -q "^[;#] *$key *=" "$ini"
done
git init -q "$work"
git -C "$work" remote add production "$repo"
_sites="production:$root"
check_invariants "after init"
push_file index.html one "first"
is "a push to it deploys" "$(live_file index.html)" one

everything() {
	find "$repo" "$root" -printf '%p %y %m %s %l %T@\n' | sort
	cat "$ini" "$repo/config"
}
everything > "$T/before"
run "$slipway" init "$repo" --root "$root"
is_exit "init again succeeds" 0
everything > "$T/after"
is "and changes nothing" "$(diff "$T/before" "$T/after")" ""

# One that exists, with hooks of its own.
old=$T/old.git
git init -q --bare "$old"
for hook in pre-receive post-receive post-update; do
	cat > "$old/hooks/$hook" <<-EOF
	#!/bin/sh
	echo "$hook:\$*" >> $T/chain
	case $hook in *-receive) sed "s/^/$hook: /" >> $T/chain ;; esac
	if [ "\$(cat $T/refuse 2>/dev/null)" = $hook ]; then
		echo "the old hook says no"
		exit 1
	fi
	EOF
	chmod +x "$old/hooks/$hook"
	cp "$old/hooks/$hook" "$T/kept.$hook"
done
repo=$old
root=$T/old
_sites="production:$root"
git -C "$work" remote set-url production "$repo"
run "$slipway" init "$repo" --root "$root" --branch main
is_exit "init adopts a repository" 0
push_file index.html two "second"
is "a push to it deploys, too" "$(live_file index.html)" two
new=$(head_of)
is "the hooks that were there still run, with what git tells them" \
    "$(sort "$T/chain")" "$(sort <<EOF
pre-receive:
pre-receive: 0000000000000000000000000000000000000000 $new refs/heads/main
post-receive:
post-receive: 0000000000000000000000000000000000000000 $new refs/heads/main
post-update:refs/heads/main
EOF
)"
everything > "$T/before"
run "$slipway" init "$repo" --root "$root" --branch main
is_exit "init again succeeds here, too" 0
everything > "$T/after"
is "and keeps both hooks" "$(diff "$T/before" "$T/after")" ""
echo pre-receive > "$T/refuse"
push_file index.html three "third"
is_exit "and can refuse a push" 1
like "their words arrive" "$banner" "the old hook says no"
is "nothing was deployed" "$(live_file index.html)" two
is "the journal knows the refusal" \
    "$(sql 'SELECT state FROM pushes ORDER BY id DESC LIMIT 1')" refused
echo post-receive > "$T/refuse"
push
is_exit "what they say after it changes nothing" 0
like "but is heard" "$banner" "the old hook says no"
is "the push is live" "$(live_file index.html)" three
rm "$T/refuse"
# It reads nothing at all of a long list.
printf '#!/bin/sh\nexit 0\n' > "$old/hooks/pre-receive.before-slipway"
i=0
while [ $i -lt 1500 ]; do
	i=$((i + 1))
	echo "create refs/heads/b/$i $(head_of)"
done | git -C "$work" update-ref --stdin
push 'refs/heads/b/*:refs/heads/b/*'
is_exit "a hook that does not read its input does no harm" 0
cp "$T/kept.pre-receive" "$old/hooks/pre-receive.before-slipway"

# What another installation left behind is no hook of somebody else's.
ln -sf "$T/gone/post-update" "$repo/hooks/post-update"
run "$slipway" init "$repo"
is_exit "init after an installation was taken away" 0
is "the dangling link is replaced" "$(readlink -f "$repo/hooks/post-update")" \
    "$(readlink -f "$build/bin/post-update")"
ok "and the old hook is still beside it" cmp "$T/kept.post-update" \
    "$repo/hooks/post-update.before-slipway"

run "$slipway" uninit "$repo"
if [ "$status" -eq 2 ]; then
	run "$slipway" uninit -C "$repo"
fi
is_exit "uninit succeeds" 0
for hook in pre-receive post-receive post-update; do
	ok "$hook is the old one again" \
	    cmp "$repo/hooks/$hook" "$T/kept.$hook"
done
is "nothing else is left in hooks/" \
    "$(find "$repo/hooks" ! -name '*.sample' | sort | wc -l)" 4
push_file index.html unseen "after uninit"
is "a push does not deploy any more" "$(live_file index.html)" three
ok "the journal stays" test -f "$repo/slipway/journal.db"

# core.hooksPath is where git looks.
repo=$T/path.git
root=$T/path
_sites="production:$root"
git init -q --bare "$repo"
mkdir "$T/myhooks"
git -C "$repo" config core.hooksPath "$T/myhooks"
run "$slipway" init "$repo" --root "$root"
is_exit "init with core.hooksPath" 0
ok "the hooks are there" test -L "$T/myhooks/post-receive"
not_ok "and not in hooks/" test -e "$repo/hooks/post-receive"
git -C "$work" remote set-url production "$repo"
push
is "a push deploys" "$(live_file index.html)" unseen
run "$slipway" uninit "$repo"
is "uninit takes them out there" "$(ls "$T/myhooks")" ""

# A relative one begins at the repository; a hook that is off stays off.
repo=$T/rel.git
root=$T/rel
_sites="production:$root"
git init -q --bare "$repo"
git -C "$repo" config core.hooksPath my/hooks
mkdir -p "$repo/my/hooks"
echo 'no program' > "$repo/my/hooks/post-update"
ln -s "$T/kept.pre-receive" "$repo/my/hooks/pre-receive"
run "$slipway" init "$repo" --root "$root"
is_exit "init with a relative core.hooksPath" 0
ok "the hooks are there" test -L "$repo/my/hooks/post-receive"
git -C "$work" remote set-url production "$repo"
: > "$T/chain"
push
is "a push deploys from there" "$(live_file index.html)" unseen
unlike "nothing went wrong" "$banner" 'error'
is "a hook that is a link is chained" "$(sed -n 1p "$T/chain")" pre-receive:
run "$slipway" uninit -C "$repo"
is "uninit brings the text back" "$(cat "$repo/my/hooks/post-update")" \
    'no program'
is "and the link" "$(readlink "$repo/my/hooks/pre-receive")" \
    "$T/kept.pre-receive"

# As git has it, "~/" is the home folder; and it may be set for all.
repo=$T/home.git
root=$T/homed
mkdir "$HOME/hooks"
# git itself expands it.
# shellcheck disable=SC2088
git config --global core.hooksPath '~/hooks'
run "$slipway" init "$repo" --root "$root"
ok "core.hooksPath may be in the home folder" test -L \
    "$HOME/hooks/post-receive"
like "that others use it is told" "$out" 'other repositories may use'
_sites="production:$root"
git -C "$work" remote set-url production "$repo"
push
is "a push deploys from there, too" "$(live_file index.html)" unseen
git config --global --unset core.hooksPath

# What cannot be.
run "$slipway" init
is_exit "init without a repository is a usage error" 2
run "$slipway" init "$T/x.git"
is_exit "init without a root is a usage error" 2
run "$slipway" init "$T/x.git" --root relative
is_exit "a relative root is a usage error" 2
not_ok "and nothing was made" test -e "$T/x.git"
echo text > "$T/file"
run "$slipway" init "$T/file" --root "$T/y"
isnt "a file is no repository" "$status" 0
like "it says so" "$err" "$T/file"
mkdir -p "$T/z/current"
run "$slipway" init "$T/z.git" --root "$T/z"
isnt "a root whose current is a folder is refused" "$status" 0
like "it says why" "$err" "current"
run "$slipway" init "$T/c:d.git" --root "$T/cd"
isnt "a colon in the path is refused" "$status" 0
like "it says which character" "$err" ":"
done_testing
