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
ln -sf "$T/gone/libexec/slipway/post-update" "$repo/hooks/post-update"
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
run "$slipway" uninit "$repo"
is_exit "once more there is nothing to do" 0
is "and that is said" "$out" \
    "there are no hooks of Slipway in $repo/hooks; nothing was changed"
push_file index.html unseen "after uninit"
is "a push does not deploy any more" "$(live_file index.html)" three
run "$slipway" status -C "$repo"
like "status says why" "$out" "^  hooks  +pre-receive, .* in $repo/hooks: .*; \
slipway init $repo\$"
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
like "and says for whom else, and what to do" "$out" "^note: .* $T/myhooks, and \
other .* not deploy any more; .*: git -C $repo config core.hooksPath hooks,"

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
mkdir "$T/z2"
ln -s /tmp "$T/z2/current"
run "$slipway" init "$T/z.git" --root "$T/z2"
is_exit "so is one whose current is no deploy's" 2
like "with what to do" "$err" "$T/z2/current points to /tmp, .*move it away"
not_ok "and nothing was made" test -e "$T/z2/releases"
run "$slipway" init "$T/c:d.git" --root "$T/cd"
isnt "a colon in the path is refused" "$status" 0
like "it says which character" "$err" ":"

# What fails leaves nothing behind, so that the next try can be right.
run "$slipway" init "$T/half.git" --root "$T/file/site"
isnt "a root beneath a file is refused" "$status" 0
like "with its path" "$err" "$T/file"
not_ok "no repository is left" test -e "$T/half.git"
mkdir "$T/taken"
echo text > "$T/taken/shared"
run "$slipway" init "$T/new/half.git" --root "$T/taken"
isnt "a file in the place of shared/ is refused" "$status" 0
not_ok "no repository is left, nor its folder" test -e "$T/new"
is "and nothing in the root" "$(ls -A "$T/taken")" shared
git init -q --bare "$T/both.git"
for hook in post-update post-update.before-slipway; do
	echo other > "$T/both.git/hooks/$hook"
done
run "$slipway" init "$T/both.git" --root "$T/new/site"
isnt "a hook that cannot be set aside is a failure" "$status" 0
not_ok "no root is left" test -e "$T/new"
not_ok "no config" test -e "$T/both.git/slipway.ini"
not_ok "no state" test -e "$T/both.git/slipway"
is "and no hook of ours" "$(find "$T/both.git/hooks" -type l)" ""
rm "$T/both.git/hooks/post-update"
git init -q --bare "$T/alone.git"
echo other > "$T/alone.git/hooks/proc-receive"
cp "$T/alone.git/config" "$T/config"
run "$slipway" init "$T/alone.git" --root "$T/new/site"
isnt "nor does a hook that cannot be kept" "$status" 0
is "leave settings of git" "$(diff "$T/config" "$T/alone.git/config")" ""
rm "$T/alone.git/hooks/proc-receive"
run "$slipway" init "$T/alone.git" --root "$T/new/site"
run "$slipway" uninit "$T/alone.git"
: > "$T/alone.git/config.lock"
run "$slipway" init "$T/alone.git"
isnt "a config that cannot be changed is a failure" "$status" 0
like "which is told" "$err" \
    "^slipway: $T/alone.git/config.lock is there: somebody else changes"
is "that leaves no hook" "$(find "$T/alone.git/hooks" -type l)" ""
rm -r "$T/alone.git" "$T/new/site"
mkdir "$T/empty.git"
run "$slipway" init "$T/empty.git" --root "$T/taken"
isnt "a folder that is empty" "$status" 0
is "is empty again" "$(ls -A "$T/empty.git")" ""
for branch in 'a b' 'release/*' a..b; do
	run "$slipway" init "$T/empty.git" --root "$T/new" --branch "$branch"
	is_exit "--branch '$branch' is a usage error" 2
	unlike "and none of git's" "$err" 'fatal'
done
like "it says what to do" "$(run "$slipway" init "$T/empty.git" --root \
    "$T/new" --branch 'v*'; echo "$err")" 'patterns, are written into slipw'
run "$slipway" init "$T/trans.git" --root "$T/trans" --transactional
is "a key that init sets is not shown unset as well" \
    "$(grep -c '^[; ]*transactional = ' "$T/trans.git/slipway.ini")" 1
sed -i '/^transactional/d' "$T/trans.git/slipway.ini"
run "$slipway" init "$T/trans.git" --transactional
is_exit "an option does not change what is there" 2
like "it says what to do, all of it" "$err" \
    "has transactional = no for production; edit it there, then run: slipway init $T/trans.git"
run "$slipway" init "$T/both.git" --root "$T/new/site"
is_exit "with that put right it succeeds" 0
run "$slipway" init "$T/half.git" --root "$T/half/../half-site/"
is_exit "so does the corrected command" 0
unlike "no path has dots" "$out" '\.\.[^.]|//'
like "the root is told without them" "$out" "into $T/half-site "

# Two repositories, or a repository and its own root.
run "$slipway" init "$T/thief.git" --root "$T/half-site"
is_exit "the root of another repository is refused" 2
like "it says whose it is" "$err" "$T/half.git, environment production"
like "and what to do" "$err" "another root.*remove $T/half-site/.slipway/owner"
not_ok "nothing was made" test -e "$T/thief.git"
ln -s "$T/half-site/releases" "$T/way"
for inside in "$T/half-site/in" "$T/way/in"; do
	run "$slipway" init "$T/thief.git" --root "$inside"
	is_exit "a root in that of another repository is refused" 2
	like "it says whose" "$err" "$inside is in the root of another \
environment: $T/half-site belongs to $T/half.git, environment production; \
choose another root"
	not_ok "nothing was made" test -e "$T/thief.git" -o -e "$inside"
done
for inside in "$T/in.git" "$T/in.git/site"; do
	run "$slipway" init "$T/in.git" --root "$inside"
	is_exit "the root $inside is refused" 2
	not_ok "and nothing was made" test -e "$T/in.git"
done
run "$slipway" init "$T/srv/releases/in.git" --root "$T/srv"
is_exit "a repository among releases is refused" 2
mv "$T/half.git" "$T/moved.git"
run "$slipway" init "$T/moved.git"
is_exit "a repository that has moved has to be told" 2
rm "$T/half-site/.slipway/owner"
run "$slipway" init "$T/moved.git"
is_exit "by removing that file" 0

# What a config says already is not passed over.
said() {
	what=$1
	shift
	run "$slipway" init "$T/moved.git" "$@"
	is_exit "$*: is a usage error" 2
	like "$*: it says what is written" "$err" "slipway\.ini has $what"
}
said "root = $T/half-site for production, not /other" --root /other
said 'branch = main for production, not other' --branch other
said 'no environment staging' -e staging --root "$T/half-site"
cat >> "$T/moved.git/slipway.ini" <<EOF
[environment staging]
branch = develop
root = $T/staging
EOF
cd "$T/work" || exit 1
run "$slipway" init ../moved.git
cd "$T" || exit 1
is_exit "a new environment gets its root" 0
ok "and has it" test -d "$T/staging/releases"
is "what to type is told for both, after an empty line" \
    "$(printf '%s\n' "$out" | sed -n "/^On/,\$p" | sed 1d | head -n 11)" "
  git remote add production $T/moved.git

To deploy to production:

  git push production main

To deploy to staging:

  git push production develop"
said "branch = develop for staging, not main" -e staging --branch main
cat >> "$T/moved.git/slipway.ini" <<EOF
[environment preview]
branch = preview
root = $T/half-site/preview
EOF
run "$slipway" init "$T/moved.git"
is_exit "a root in the root of another environment is refused" 2
like "it says which, and where" "$err" "slipway\.ini:[0-9]+: .environment \
preview. has a root in that of .environment production.; write another one, \
for example 'root = $T/half-site-preview'"
not_ok "and nothing was made" test -e "$T/half-site/preview"
sed -i '/^.environment preview/,$d' "$T/moved.git/slipway.ini"

# All the work is on another branch.
git clone -q --bare "$T/work" "$T/master.git"
git -C "$T/master.git" branch -m main master
run "$slipway" init "$T/master.git" --root "$T/master"
is_exit "a repository without that branch is not adopted" 2
like "its own is proposed" "$err" 'no branch main, but master: say --branch master'
not_ok "nothing was made" test -e "$T/master"
run "$slipway" init "$T/master.git" --root "$T/master" --branch next
is_exit "but may be, when that is said" 0
like "and is told" "$out" 'no branch next yet, but master'
unlike "once" "$out" 'note: there is no branch next yet( |$)'
git clone -q --bare "$T/work" "$T/commits.git"
run "$slipway" init "$T/commits.git" --root "$T/commits"
like "that nothing is live of what is there, too" "$out" \
    "^note: main is at .*; slipway deploy -C $T/commits.git makes it live"
printf '[environment staging]\nbranch = develop\nroot = %s\n' \
    "$T/commits-2" >> "$T/commits.git/slipway.ini"
run "$slipway" init "$T/commits.git"
like "a note says of which environment" "$out" \
    '^note: staging: there is no branch develop yet'

if [ "$(id -u)" -eq 0 ]; then
	git init -q --bare "$T/theirs.git"
	chown -R nobody "$T/theirs.git"
	run "$slipway" init "$T/theirs.git" --root "$T/theirs"
	is_exit "root does not set up what is somebody else's" 2
	like "it says as whom to do it" "$err" \
	    "$T/theirs.git belongs to nobody; .*sudo -u nobody slipway"
	run "$slipway" uninit "$T/theirs.git"
	like "so does uninit" "$err" \
	    "$T/theirs.git belongs to nobody; .*sudo -u nobody slipway"
	mkdir "$T/high"
	chmod 555 "$T/high"
	run setpriv --inh-caps=-all --bounding-set=-all "$slipway" init \
	    "$T/low.git" --root "$T/high/site"
	isnt "a root that this user may not make" "$status" 0
	like "is to be made by root" "$err" \
	    "mkdir $T/high/site: Perm.*: sudo install -d -o 0 $T/high/site"
fi

# A config that was made to point at another site fails before it flips.
repo=$T/both.git
root=$T/new/site
git -C "$work" remote set-url production "$repo"
sed -i "s|^root = .*|root = $T/srv|" "$repo/slipway.ini"
before=$(readlink "$T/srv/current")
push_raw
like "the deploy says whose the root is" "$banner" \
    "$T/srv belongs to $T/new.git"
is "whose release stays live" "$(readlink "$T/srv/current")" "$before"
is "the deploy has failed" "$(deploy 1 state)" failed
sed -i "s|^root = .*|root = $T/srv/releases/in|" "$repo/slipway.ini"
run "$slipway" deploy -C "$repo"
like "and of a root in another" "$out$err" \
    "$T/srv/releases/in is in the root of another environment: $T/srv"
not_ok "nothing is made there" test -e "$T/srv/releases/in"

# What git is told is told to the repository, not to one account.
git config --global receive.fsckObjects true
run "$slipway" init "$T/own.git" --root "$T/own"
git config --global --unset receive.fsckObjects
is "the repository has its own settings" \
    "$(git -C "$T/own.git" config --local receive.fsckObjects)" true
git -C "$T/own.git" config --add core.fsync all
run "$slipway" init "$T/own.git"
is_exit "a key that is there twice is no obstacle" 0
is "and what is stricter stays" \
    "$(git -C "$T/own.git" config core.fsync)" all

# Every push would fail on these.
git init -q --bare --object-format=sha256 "$T/sha256.git"
run "$slipway" init "$T/sha256.git" --root "$T/sha256"
isnt "a repository of sha256 objects is refused" "$status" 0
like "and says why" "$err" 'sha256'
: > "$T/own.git/shallow"
run "$slipway" init "$T/own.git"
isnt "so is a shallow one" "$status" 0
like "and says what to do" "$err" 'unshallow'
rm "$T/own.git/shallow"

# The hooks come out without a config, too, of the one that is named.
run "$slipway" uninit -C "$T/both.git" "$T/own.git"
is_exit "uninit of two" 2
like "it says of which" "$err" "$T/both.git and $T/own.git are two"
ok "and of neither" test -e "$T/own.git/hooks/pre-receive"
rm "$T/own.git/slipway.ini"
run "$slipway" uninit "$T/own.git"
is_exit "uninit works without slipway.ini" 0
not_ok "the hook is gone" test -e "$T/own.git/hooks/pre-receive"

# -C is the repository, here as everywhere; and so is the folder one is in.
run "$slipway" -C "$T/named.git" init --root "$T/named"
is_exit "-C names the repository" 0
ok "which is made" test -e "$T/named.git/hooks/pre-receive"
cd "$T/named.git" || exit 1
run "$slipway" init
cd "$T" || exit 1
like "it is found from inside" "$out" "^$T/named.git is set up already"
run "$slipway" -C "$T" init other.git --root "$T/other"
is_exit "-C and another one are two" 2
like "it says which" "$err" "$T and other.git are two repositories"
not_ok "neither is made" test -e "$T/other.git"
like "help says what -C is" "$("$slipway" init --help | paste -s -d ' ')" \
    '--repo DIR +the bare repository, where REPO is not given'

# A clone of what is pushed first has it checked out.
git init -q --bare -b trunk "$T/head.git"
run "$slipway" init "$T/head.git" --root "$T/head"
like "HEAD that was nothing is the branch that is deployed" "$out" \
    'set HEAD to the branch main'
git -C "$work" push -q "$T/head.git" HEAD:main > /dev/null 2>&1
git clone -q "$T/head.git" "$T/cloned" 2> "$T/err"
is "a clone says nothing" "$(cat "$T/err")" ""
git -C "$T/head.git" symbolic-ref HEAD refs/heads/trunk
run "$slipway" init "$T/head.git"
is "one with branches is its owner's to choose" \
    "$(git -C "$T/head.git" symbolic-ref HEAD)" refs/heads/trunk
run "$slipway" doctor -C "$T/head.git" --etc "$T"
like "the doctor finds it" "$out" '^warning: HEAD: it is the branch trunk'
remedy=$(printf '%s\n' "$out" | sed -n 's/^ *\(git -C .* HEAD .*\)/\1/p')
eval "$remedy"
run "$slipway" doctor -C "$T/head.git" --etc "$T"
unlike "and what it says helps" "$out" ': HEAD: '

# A path may have what a name may not.
run "$slipway" init "$T/my shop.git" --root "$T/my root"
is_exit "a path with a space is fine" 0
like "what is to be copied is quoted" "$out" \
    "git remote add production '$T/my shop.git'\$"
like "over ssh, too" "$out" "^  'USER@HOST:$T/my shop.git'\$"
git -C "$work" push -q "$T/my shop.git" HEAD:main > /dev/null 2>&1
ok "and deploys" test -L "$T/my root/current"
done_testing
