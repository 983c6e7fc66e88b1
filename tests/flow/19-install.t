#!/bin/sh
# make install puts everything in place, and a newer one reaches every
# repository at once.

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
done_testing
