#!/bin/sh
# Each thing that can be wrong with a set-up is made wrong, and the doctor
# says what it is and what to do; then it is done, and nothing is wrong.

. "$(dirname "$0")/../lib.sh"

# A machine whose packages are up to date, and whose web server says nothing.
mkdir -p "$T/bin" "$T/etc"
export PATH="$T/bin:$PATH"
apt() {
	{
		echo '#!/bin/sh'
		printf 'cat <<EOF\n%s\nEOF\n' "$1"
	} > "$T/bin/apt-cache"
	chmod +x "$T/bin/apt-cache"
}
apt "git:
  Installed: 1:2.39.5-0+deb12u2
  Candidate: 1:2.39.5-0+deb12u2
  Version table:"

git config --global --unset gc.auto
make_site
config <<'EOF'
[action updb]
phase = migrate
run = true
undo = true
EOF
push_file index.html one "first"

examine() {
	run "$slipway" doctor -C "$repo" --etc "$T/etc" "$@"
}

# told WHAT LEVEL WHERE WORDS REMEDY: patterns; the exit status is 1 unless
# it is a note.
told() {
	examine
	if [ "$2" = note ]; then
		is_exit "$1: a note is nothing wrong" 0
	else
		is_exit "$1" 1
	fi
	like "$1: where and what" "$out" "^$2: $3: .*$4"
	if [ -n "${5-}" ]; then
		like "$1: and what to do" "$(printf '%s\n' "$out" |
		    grep -E -A 1 -e "^$2: $3: .*$4")" "^    .*$5"
	fi
}

well() {
	examine
	is_exit "$1: nothing is wrong" 0 || return
	is "$1: no word but that" "$(printf '%s' "$out" |
	    sed '/^note: .* as root$/,+1d')$err" "slipway: nothing is wrong"
}

well "as it is"
examine --json
if [ "$(id -u)" -eq 0 ]; then
	is "as JSON, that deploys are root's" "$(json 0.level < "$T/.out")" \
	    note
	is "and nothing else" "$(json length < "$T/.out")" 1
else
	is "as JSON, nothing" "$(json length < "$T/.out")" 0
fi

cp "$repo/slipway.ini" "$T/kept.ini"
cat >> "$repo/slipway.ini" <<'EOF'
[action one-way]
phase = migrate
run = true
[action both-ways]
phase = migrate
run = true
undo = true
EOF
examine
is_exit "a migration without a way back is a note" 0
like "of where it is" "$out" \
    '^note: \[action one-way\] undo: .*a rollback, cannot take it back'
like "with what to do" "$out" '^    .*undo = COMMAND'
unlike "and one with a way back is none" "$out" both-ways
mv "$T/kept.ini" "$repo/slipway.ini"

# Programs. The git that is asked is the one that deploys run.
if run_over_git '[ "$1" != --version ] || { echo git version 2.20.1; exit; }' \
    "$slipway" doctor -C "$repo" --etc "$T/etc"; then
	is_exit "an old git" 1
	like "is told" "$out" '^fault: git: git version 2.20.1 is older'
	like "with what to do" "$out" '^    apt-get install git'
fi
archive=$(gcc -print-file-name=libgit2.a 2> /dev/null) || archive=
if grep -q -F "${archive:-none} " "$slipway" && unshare -m true 2> /dev/null
then
	: > "$T/libgit2.a"
	run unshare -m sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' \
	    sh "$T/libgit2.a" "$(readlink -f "$archive")" "$slipway" doctor \
	    -C "$repo" --etc "$T/etc"
	like "a libgit2 that was updated" "$out" \
	    "^warning: .*libgit2.a: libgit2 was updated since"
	like "is to be linked in" "$out" '^    make install'
fi
apt "git:
  Installed: 1:2.39.5-0+deb12u1
  Candidate: 1:2.39.5-0+deb12u2
libgit2-dev:
  Installed: 1.5.1+ds-1+deb12u1
  Candidate: 1.5.1+ds-1+deb12u2
nginx:
  Installed: (none)
  Candidate: 1.22.1-9"
told "a security level" warning git 'deb12u1 is installed, and .*deb12u2' \
    'apt-get install --only-upgrade git'
told "of what is linked in" warning libgit2-dev 'deb12u2' 'then make install'
unlike "what is not there is not old" "$out" nginx
apt ""

# The config, and rights.
chmod g+w "$repo/slipway.ini"
told "a config that others may write" fault "$repo/slipway.ini" \
    'can be written by others' 'run: chmod go-w'
unlike "whose name is said once" "$out" 'slipway.ini: .*slipway.ini can be'
chmod g-w "$repo/slipway.ini"
cp "$repo/slipway.ini" "$T/ini"
echo 'fase = x' >> "$repo/slipway.ini"
told "a wrong config" fault "$repo/slipway.ini:[0-9]+" "unknown key 'fase'" \
    "did you mean 'phase'"
cp "$T/ini" "$repo/slipway.ini"
for path in "$repo" "$repo/hooks" "$repo/slipway/journal.db" "$root" \
    "$root/releases" "$root/shared"; do
	chmod o+w "$path"
	told "everybody may write ${path#"$T"/}" fault "$path" \
	    'everybody on this machine' "chmod o-w $path"
	chmod o-w "$path"
done
for path in "$root" "$root/releases"; do
	chmod 700 "$path"
	told "only its owner may enter ${path#"$T"/}" note "$path" \
	    'only its owner can enter it .mode 0700' "chmod o.x $path"
	chmod 755 "$path"
done
sed -i 's/^/elsewhere/' "$root/.slipway/owner"
told "a root of another repository" fault "$root" \
    'belongs to elsewhere.*, environment production' \
    "that repository is not there: .* remove $root/.slipway/owner; else"
sed -i 's/^elsewhere//' "$root/.slipway/owner"
# An owner like any other: root's own may write whatever its mode is.
if [ "$(id -u)" -ne 0 ]; then
	owner="$slipway"
else
	owner="setpriv --inh-caps=-all --bounding-set=-all $slipway"
fi
for path in "$root" "$root/releases" "$root/shared" "$repo" \
    "$repo/objects" "$repo/refs/heads" "$repo/slipway" \
    "$repo/slipway/journal.db"; do
	chmod u-w "$path"
	# shellcheck disable=SC2086 # words
	run $owner doctor -C "$repo" --etc "$T/etc"
	chmod u+w "$path"
	like "its owner may not write ${path#"$T"/}" "$out" "^fault: $path: its \
owner, who deploys, may not write it .mode 0[45][45][45]"
	like "and can mend that" "$out" "^    chmod u.rwx? $path\$"
done
umask 0
told "an open umask" warning umask 'can be written by everybody' 'umask 022'
umask 022
git -C "$repo" config core.sharedRepository group
told "a shared repository" warning "$repo" 'core.sharedRepository is group' \
    'config --unset-all core.sharedRepository'
git -C "$repo" config --unset-all core.sharedRepository
mv "$root/shared" "$root/hidden"
told "a folder that is gone" fault "$root/shared" 'No such file' \
    "slipway init $repo"
mv "$root/hidden" "$root/shared"
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$root/releases"
	told "a folder of somebody else" fault "$root/releases" \
	    'belongs to user 65534' "chown -R 0 $root/releases"
	chown 0 "$root/releases"
fi
mv "$root/current" "$root/was"
mkdir "$root/current"
told "current is a folder" fault "$root/current" 'not a symlink' 'move it away'
rmdir "$root/current"
ln -s releases/20000101000000 "$root/current"
told "current leads elsewhere" fault "$root/current" \
    'points to releases/20000101000000' "slipway deploy [0-9a-f]{7} -C $repo turns it"
rm "$root/current"
mv "$root/was" "$root/current"
well "after that"

# What slipway.ini names and the repository does not have.
# names WHAT SED-SCRIPT LEVEL WHERE WORDS REMEDY
names() {
	what=$1
	sed "$2" "$T/ini" > "$repo/slipway.ini"
	shift 2
	told "$what" "$@"
	cp "$T/ini" "$repo/slipway.ini"
}
names "a branch that is misspelt" 's/^branch = main/branch = mian/' warning \
    '.environment production. branch' 'no branch mian; the nearest is main' \
    'branch = main in slipway.ini'
names "one that is to come" 's/^branch = main/branch = main next/' note \
    '.environment production. branch' 'no branch next$'
names "the branch of all commits" 's/^name/only_from = mian\nname/' warning \
    '.environment production. only_from' 'no branch mian' \
    'only_from = main in slipway.ini'
names "a role of no host" 's/^run = true/run = true\nrole = db/
    $a [host box]\nroles = web' fault '.action updb. role' \
    'no host of production has the role db' "'roles' of a .host."
names "signed tags without a key" 's/^name/signed_tags = yes\nname/' warning \
    '.environment production. signed_tags' \
    'no signature is good: gpg.ssh.allowedSignersFile is not set' \
    "git -C $repo config gpg.ssh.allowedSignersFile"
signed='s/^name/require_signed_push = yes\nname/'
names "signed pushes that git is not told of" "$signed" fault \
    '.environment production. require_signed_push' \
    'receive.certNonceSeed' "slipway init $repo"
cp "$repo/config" "$T/git.config"
sed "$signed" "$T/ini" > "$repo/slipway.ini"
"$slipway" init "$repo" > "$T/.init" 2>&1
names "signed pushes of nobody" "$signed" warning \
    '.environment production. require_signed_push' \
    "no signature is good: $repo/allowed_signers has no key" \
    'write a line for each there'
# As gpg --list-keys makes it.
mkdir "$HOME/.gnupg"
head -c 32 /dev/zero > "$HOME/.gnupg/pubring.kbx"
names "or of a keyring without a key" "$signed" warning \
    '.environment production. require_signed_push' 'no signature is good'
echo key >> "$HOME/.gnupg/pubring.kbx"
sed "$signed" "$T/ini" > "$repo/slipway.ini"
well "with a key of another kind"
rm -r "$HOME/.gnupg"
echo 'alice@example.org ssh-ed25519 AAAA' >> "$repo/allowed_signers"
sed "$signed" "$T/ini" > "$repo/slipway.ini"
well "with a key"
chmod 666 "$repo/allowed_signers"
told "anybody can add a key" fault "$repo/allowed_signers" \
    'others can add keys.*0666' "chmod go-w $repo/allowed_signers"
chmod 644 "$repo/allowed_signers"
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$repo/allowed_signers"
	told "somebody else can add a key" fault "$repo/allowed_signers" \
	    'user 65534 can add keys' "sudo chown 0 $repo/allowed_signers"
	chown 0 "$repo/allowed_signers"
fi
cp "$T/git.config" "$repo/config"
cp "$T/ini" "$repo/slipway.ini"
well "after that"

# Memory.
sed -i 's/^run = true/run = true\nmemory = 900000G/' "$repo/slipway.ini"
told "more memory than there is" warning updb 'MiB is all that there is' \
    "a smaller 'memory'"
cp "$T/ini" "$repo/slipway.ini"

# git's configuration.
git -C "$repo" config receive.fsckObjects false
told "objects are not checked" fault "$repo" \
    'not told that receive.fsckObjects is true' "slipway init $repo"
git -C "$repo" config --unset-all transfer.hideRefs
told "refs are not hidden" fault "$repo" 'transfer.hideRefs is refs/slipway'
"$slipway" init "$repo" > "$T/.init" 2>&1
git -C "$repo" config gc.pruneExpire now
told "prunes at once" warning gc.pruneExpire 'objects of a push' \
    'config --unset-all gc.pruneExpire'
git -C "$repo" config --unset-all gc.pruneExpire
git -C "$repo" config gc.auto 0
told "never packs" note gc.auto 'git gc run now and then'
git -C "$repo" config --unset-all gc.auto
git -C "$repo" config --unset-all receive.maxInputSize
told "pushes of any size" fault "$repo" \
    'not told that receive.maxInputSize is 2g' "slipway init $repo"
git -C "$repo" config receive.maxInputSize 1g
git -C "$repo" config --unset-all receive.procReceiveRefs
told "no words to the server" fault receive.procReceiveRefs \
    'refs/deploy/ is not among' "slipway init $repo"
git -C "$repo" config receive.procReceiveRefs refs/deploy/
git -C "$repo" config --add receive.procReceiveRefs refs/heads/main
told "one too many" fault receive.procReceiveRefs \
    'refs/heads/main is among its values' "slipway init $repo"
"$slipway" init "$repo" > "$T/.init" 2>&1
sed -i 's/^name/transactional = yes\nname/' "$repo/slipway.ini"
told "a transactional branch that is not" fault receive.procReceiveRefs \
    'refs/heads/main is not among'
cp "$T/ini" "$repo/slipway.ini"
mkdir "$T/hooks"
git -C "$repo" config core.hooksPath "$T/hooks"
told "hooks elsewhere" fault "$T/hooks/pre-receive" 'is missing' \
    "slipway init $repo"
like "which is told" "$out" "^note: $T/hooks: the hooks are there, and other"
git -C "$repo" config --unset-all core.hooksPath
well "after that"

# Hooks.
hook=$repo/hooks/post-receive
target=$(readlink "$hook")
rm "$hook"
told "a hook is missing" fault "$hook" 'is missing' "slipway init $repo"
printf '#!/bin/sh\n' > "$hook"
chmod +x "$hook"
told "another hook" fault "$hook" "somebody else's" "slipway init $repo"
ln -sf "$T/gone/libexec/slipway/post-receive" "$hook"
told "a hook whose program is gone" fault "$hook" 'that is gone' \
    "slipway init $repo"
mkdir "$T/old"
cp "$target" "$T/old/post-receive"
printf '#!/bin/sh\necho slipway 0.0.9\n' > "$T/old/slipway"
chmod +x "$T/old/slipway"
ln -sf "$T/old/post-receive" "$hook"
told "a hook of another installation" warning "$hook" \
    'another installation.* that one is slipway 0.0.9' "slipway init $repo"
printf '#!/bin/sh\necho slipway 0.0.9\n: > %s\n' "$T/has-run" > "$T/old/slipway"
chmod o+w "$T/old"
told "a program that others can replace" warning "$hook" 'unknown version'
not_ok "is not run" test -e "$T/has-run"
chmod o-w "$T/old"
if [ "$(id -u)" -eq 0 ]; then
	chown nobody "$repo"
	examine
	unlike "git has nothing to say" "$out" 'fatal'
	like "root looks at somebody else's" "$out" \
	    "^warning: $hook: .*unknown version"
	not_ok "and runs no program that its owner chose" \
	    test -e "$T/has-run"
	chown nobody "$T/old"
	chown root "$repo"
	told "a folder of somebody else's" warning "$hook" 'unknown version'
	not_ok "has nothing that root runs" test -e "$T/has-run"
	chown root "$T/old"
fi
examine
ok "our own is run" test -e "$T/has-run"
chmod -x "$T/old/post-receive"
told "a program that is not executable" fault "$hook" 'not executable' \
    'make install'
ln -sf "$target" "$hook"

# Locks, and what a git that was killed has left.
for lock in HEAD.lock packed-refs.lock refs/heads/main.lock; do
	: > "$repo/$lock"
	examine
	is_exit "$lock: one that is young may be held" 0
	touch -d '1 hour ago' "$repo/$lock"
	told "$lock" warning "$repo/$lock" 'a git that was killed' \
	    "rm $repo/$lock"
	rm "$repo/$lock"
done
mkdir "$repo/objects/tmp_objdir-incoming-x"
touch -d '3 days ago' "$repo/objects/tmp_objdir-incoming-x"
told "objects of a push that was killed" warning \
    "$repo/objects/tmp_objdir-incoming-x" 'a push that was killed' 'rm -rf'
rmdir "$repo/objects/tmp_objdir-incoming-x"
flock -o "$repo/slipway/production.lock" sh -c \
    "touch '$T/held'; while test -e '$T/held'; do sleep 0.05; done" &
started $!
wait_for 10 test -e "$T/held"
told "who holds the environment" note "$repo/slipway/production.lock" \
    'a runner holds it'
rm "$T/held"
wait
well "after that"

# Work that nobody does, the journal, the clock.
git -C "$repo" update-ref -d refs/live/production
told "a ref that was not set" fault production 'refs/live/production' \
    "slipway resume -C $repo"
"$slipway" resume -C "$repo" > "$T/.resume" 2>&1
cp "$repo/slipway/journal.db" "$T/journal.db"
head -c 8192 /dev/urandom | dd of="$repo/slipway/journal.db" bs=4096 \
    seek=1 conv=notrunc 2> /dev/null
told "a damaged journal" fault "$repo/slipway/journal.db" '' \
    'restore it from a backup'
unlike "in one line, with its name once" "$out" \
    '\\x0a|journal.db: .*journal.db'
cp "$T/journal.db" "$repo/slipway/journal.db"
mkdir "$root/releases/29990101000000"
told "a release of the future" note "$root/releases" \
    '29990101000000 has a name of the future'
rmdir "$root/releases/29990101000000"
TZ=Nowhere/Land
told "a time zone that is none" warning TZ 'no time zone Nowhere/Land' tzdata
TZ=UTC
# As if it had been written tomorrow.
sqlite3 "$repo/slipway/journal.db" "INSERT INTO events
    (at, noun, key, body, hash) SELECT at + 86400000, noun, key, body, hash
    FROM events ORDER BY id DESC LIMIT 1"
told "a clock that was set back" warning clock 'still to come' \
    'systemd-timesyncd'
cp "$T/journal.db" "$repo/slipway/journal.db"
well "after that"

# A web server that resolves "current" wrongly.
mkdir -p "$T/etc/nginx/sites-enabled" "$T/etc/nginx/snippets" \
    "$T/etc/apache2/sites-enabled" "$T/etc/php/8.2/fpm/conf.d"
site=$T/etc/nginx/sites-enabled/shop
cat > "$site" <<EOF
server {
	root $root/current/public;	# through the link
	location ~ \.php\$ {
		fastcgi_param SCRIPT_FILENAME \$document_root\$fastcgi_script_name;
	}
}
EOF
told "nginx and PHP" warning "$site:4" 'PHP gets a path through the symlink' \
    'SCRIPT_FILENAME .realpath_root'
echo 'fastcgi_param  SCRIPT_FILENAME  $document_root$fastcgi_script_name;' \
    > "$T/etc/nginx/fastcgi.conf"
sed -i 's/fastcgi_param.*/include snippets\/fastcgi-php.conf;/' "$site"
told "by Debian's snippet" warning "$site:4" 'PHP gets a path'
sed -i 's/^\t}/\tfastcgi_param SCRIPT_FILENAME $realpath_root$fastcgi_script_name;\n\t}/' \
    "$site"
well "with realpath_root behind it"
sed -i "s,^	root .*,	root $root/releases/20261120101500;," "$site"
told "one release" fault "$site:2" 'names one release' "root $root/current"
sed -i "s,^	root .*,	root $root/current;\n	disable_symlinks on;," "$site"
told "no symlinks" fault "$site:3" 'does not follow' 'disable_symlinks off'
sed -i "s,disable_symlinks on,open_file_cache max=100," "$site"
told "cached files" note "$site:3" 'open_file_cache_valid'
sed -i "s,$root/,/srv/other/," "$site"
well "somebody else's site is not ours to judge"
rm "$site"

site=$T/etc/apache2/sites-enabled/shop.conf
cat > "$site" <<EOF
<VirtualHost *:80>
	DocumentRoot "$root/current"
	<Directory $root/>
		Options None
	</Directory>
</VirtualHost>
EOF
told "apache" fault "$site:4" 'does not follow' 'FollowSymLinks'
sed -i 's/Options None/Options -FollowSymLinks -Indexes/' "$site"
told "with a minus" fault "$site:4" 'does not follow'
sed -i 's/Options .*/Options +FollowSymLinks/' "$site"
well "with a plus"
sed -i 's/Options .*/Options -FollowSymLinks +SymLinksIfOwnerMatch/' "$site"
well "by its owner"
sed -i "s,$root/current,$root/releases/20261120101500/public," "$site"
told "one release" fault "$site:2" 'names one release'
rm "$site"

php=$T/etc/php/8.2/fpm/conf.d/10-opcache.ini
echo 'opcache.validate_timestamps = 0 ; fast' > "$php"
told "PHP that never looks again" warning "$php:1" 'never looks' \
    'of the phase restart'
sed -i 's/= 0/= 1/' "$php"
well "PHP that does"
echo 'opcache.validate_timestamps=Off' > "$php"
cat >> "$repo/slipway.ini" <<'EOF'

[action reload]
phase = restart
run = true
EOF
well "or is told"

# All at once, for a machine; and of one environment.
: > "$repo/HEAD.lock"
touch -d '1 hour ago' "$repo/HEAD.lock"
rm "$hook"
examine --json
is_exit "two" 1
# Behind the note that root gets.
at=$(($(id -u) == 0))
is "as JSON" "$(json length < "$T/.out")" $((at + 2))
is "level" "$(json "$at.level" < "$T/.out")" fault
is "check" "$(json "$at.check" < "$T/.out")" hooks
is "where" "$(json "$at.where" < "$T/.out")" "$hook"
is "remedy" "$(json "$at.remedy" < "$T/.out")" "slipway init $repo"
like "the count" "$err" '1 fault, 1 warning'
rm "$repo/HEAD.lock"
ln -s "$target" "$hook"
examine -e production
is_exit "one environment" 0
examine -e prodcution
is_exit "that is none" 2

# A disk that is full.
if unshare -m true 2> /dev/null; then
	run unshare -m sh -c 'mount -t tmpfs -o size=200k,nr_inodes=60 none \
	    "$1/releases" && exec "$2" doctor -C "$3" --etc "$4"' sh "$root" \
	    "$slipway" "$repo" "$T/etc"
	run unshare -m sh -c 'cp -a "$1" "$5/copy" && mount -t tmpfs -o \
	    size=1m,nr_inodes=40 none "$1" && cp -a "$5/copy/." "$1/" &&
	    head -c 2000000 /dev/zero > "$1/shared/full" 2> /dev/null;
	    exec "$2" doctor -C "$3" --etc "$4"' sh "$root" "$slipway" \
	    "$repo" "$T/etc" "$T"
	is_exit "a full disk" 1
	like "is low" "$out" "^warning: $root: [0-9]+ of [0-9]+ blocks are free"
	like "and too small" "$out" \
	    "^fault: $root: a release of main needs .* are free"
	like "with what to do" "$out" '^    slipway cleanup'
fi
check_invariants "after all of that"
done_testing
