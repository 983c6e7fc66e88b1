#!/bin/sh
# make install puts everything in place, and a newer one reaches every
# repository at once. install.sh does all of it, and refuses what it cannot
# do before it does anything.

. "$(dirname "$0")/../lib.sh"

install_to() {
	run env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s \
	    -C "$(dirname "$here")" BUILD="$build" \
	    SANITIZE="${SLIPWAY_SANITIZE-}" "$@" \
	    DESTDIR="$T/image" PREFIX=/usr
}

install_to install
is_exit "make install" 0
to=$T/image/usr
ok "the program is there" test -x "$to/bin/slipway"
for hook in pre-receive post-receive post-update; do
	ok "$hook, too" test -x "$to/libexec/slipway/$hook"
done
for page in "$(dirname "$here")"/install/man/*.[1-9]; do
	name=${page##*/}
	ok "$name, too" test -f "$to/share/man/man${page##*.}/$name"
done
ok "and a sample of the config" test -f \
    "$to/share/slipway/slipway.ini.sample"
service=$to/lib/systemd/system/slipway-resume@.service
like "and a unit that runs the installed program" "$(cat "$service")" \
    ' /usr/bin/slipway resume -C '
if command -v systemd-analyze > /dev/null; then
	cp "$service" "$T/slipway-resume@srv-git-shop.git.service"
	is "which systemd understands" "$(systemd-analyze verify --man=no \
	    "$T/slipway-resume@srv-git-shop.git.service" 2>&1 |
	    grep slipway-resume)" ""
fi
completions=$to/share/bash-completion/completions
ok "and what bash completes" bash -c \
    ". '$completions/slipway' && complete -p slipway"
like "and zsh" "$(cat "$to/share/zsh/site-functions/_slipway")" \
    '^#compdef slipway$'
ok "and a hook for clones" test -f "$to/share/slipway/post-merge"
like "which says where it is" "$(cat "$to/share/slipway/post-merge")" \
    'cp /usr/share/slipway/post-merge '
is "and so do the manual pages" \
    "$(grep -rl '/usr/local/[ls][ih]' "$to/share/man" "$to/share/slipway")" ""
is "nothing is half written" "$(find "$T/image" -name '.*.new')" ""

slipway=$to/bin/slipway
make_site
is "a hook is a link to the installed program" \
    "$(readlink "$repo/hooks/post-receive")" \
    "$to/libexec/slipway/post-receive"
push_file index.html one "first"
is "a push deploys" "$(live_file index.html)" one

before=$(stat -c %i "$to/libexec/slipway/post-receive")
install_to install
is_exit "make install again" 0
isnt "a program is replaced, not written over" \
    "$(stat -c %i "$to/libexec/slipway/post-receive")" "$before"
push_file index.html two "second"
is "the repository uses the new one" "$(live_file index.html)" two

install_to uninstall
is_exit "make uninstall" 0
is "leaves nothing" "$(find "$T/image" ! -type d)" ""
like "and tells of the links" "$out" "slipway uninit REPO"
like "and how they go without it" "$out" \
    'rm hooks/post-receive hooks/post-update hooks/pre-receive hooks/proc-rec'

# MAKEFLAGS has make use the build that is tested.
set_up() {
	run env -u MFLAGS -u MAKELEVEL \
	    MAKEFLAGS="-- BUILD=$build SANITIZE=${SLIPWAY_SANITIZE-}" \
	    "$(dirname "$here")/install/install.sh" "$@"
}

new=$T/new.git
refuse() {
	set_up "$new" "$@"
	is_exit "install.sh $*" 2
	unlike "builds nothing" "$out" "== build"
	not_ok "and makes nothing" test -e "$new" -o -e "$T/site"
}
refuse
like "tells what is missing" "$err" "install.sh: --root is missing, as in"
set_up --root "$T/site"
is_exit "without REPO" 2
like "that, too" "$err" "install.sh: REPO is missing, as in"
refuse --root site
refuse --root "$T/../site"
refuse --root "$T/site" --prefix usr
refuse --root "$T/site" --bogus
refuse --root "$T/site" --branch
refuse --root "$T/site" "$T/another.git"
set_up new.git --root "$T/site"
is_exit "a relative REPO" 2
set_up "$repo" --root "$T/site"
is_exit "a root that slipway.ini does not have" 2
like "it names the one it has" "$err" "root = $root"
not_ok "and makes no other" test -e "$T/site"

# The rest takes root, without which sudo might ask for a password.
[ "$(id -u)" -eq 0 ] || done_testing

chmod 711 "$T"
set_up "$new" --root "$T/site" --prefix "$T/usr" --environment live \
    --transactional
is_exit "install.sh sets up a repository" 0
like "it tells where slipway is" "$out" "PATH=\"$T/usr/bin:"
unlike "and of no other user" "$out" "sudo -u"
like "its options reach slipway init" "$(cat "$new/slipway.ini")" \
    "^\[environment live\]"
like "those without a value, too" "$(cat "$new/slipway.ini")" \
    '^transactional = yes$'
# A machine with systemd, of which this is all that is looked at.
machine='mount -t tmpfs none /run && mkdir -p /run/systemd/system &&
    exec "$@"'
if unshare -m sh -c "$machine" sh true 2>/dev/null; then
	out=$(unshare -m sh -c "$machine" sh "$T/usr/bin/slipway" init "$new")
	like "init tells how to enable the unit" "$out" \
	    "^  systemctl enable .*systemd-escape -p $new\)"
	like "and to link it, where systemd does not look" "$out" \
	    "^  systemctl link $T/usr/lib/systemd/system/slipway-resume@"
	cp -a "$T/usr" "$T/my usr"
	out=$(unshare -m sh -c "$machine" sh "$T/my usr/bin/slipway" init \
	    "$T/spaced.git" --root "$T/spaced")
	like "as one word" "$out" \
	    "^  systemctl link '$T/my usr/lib/.*/slipway-resume@.service'\$"
fi
unlike "without systemd it does not" "$([ -d /run/systemd/system ] ||
    "$T/usr/bin/slipway" init "$new")" 'systemctl'
git -C "$work" push -q "$new" main 2>/dev/null
is "a push deploys" "$(cat "$T/site/current/index.html")" two
set_up "$new" --root "$T//site/" --prefix "$T/usr"
is_exit "install.sh again" 0
like "changes nothing" "$out" "nothing was changed"

theirs=$T/nobody.git
git init -q --bare "$theirs"
install -d -o nobody "$T/nobody"
chown -R nobody "$theirs"
set_up "$theirs" --root "$T/nobody/site" --prefix "$T/usr"
is_exit "install.sh on a repository of another user" 0
like "says whose it is" "$out" "$theirs belongs to nobody"
like "and how to run commands" "$out" "sudo -u nobody $T/usr/bin/slipway"
is "the site is that user's" "$(stat -c %U "$T/nobody/site")" nobody
is "and the config" "$(stat -c %U "$theirs/slipway.ini")" nobody

# The unit's command, with what systemd replaces in it, and its environment.
command=$(sed -n 's/^ExecStart=//p' \
    "$T/usr/lib/systemd/system/slipway-resume@.service" |
    sed "s,%f,$theirs,; s/%%/%/g; s/[$][$]/\$/g")
rm "$theirs/hooks/post-receive" "$theirs/hooks/post-update"
cp -r "$work" "$T/theirs"
chown -R nobody "$T/theirs"
run setpriv --reuid nobody --clear-groups env HOME=/nonexistent \
    GIT_CONFIG_GLOBAL=/dev/null git -C "$T/theirs" push "$theirs" main
is_exit "a push that nobody deploys" 0
not_ok "nothing is live" test -e "$T/nobody/site/current"
run env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "cd / && $command"
is_exit "the unit's command" 0
is "has it deployed" "$(cat "$T/nobody/site/current/index.html")" two
is "by the owner" "$(stat -L -c %U "$T/nobody/site/current")" nobody
wait_for 10 idle
done_testing
