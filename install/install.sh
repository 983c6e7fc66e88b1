#!/bin/sh
# install.sh - from nothing to a server that deploys, in one command.

set -eu
cd "$(dirname "$0")/.."

usage() {
	cat <<-EOF
	usage: install/install.sh REPO --root DIR [OPTION...]

	Installs the packages that the build needs, builds Slipway, installs it
	below /usr/local, and sets up the bare repository REPO so that a push
	to it deploys to DIR. What is there already is kept; running this
	again brings the programs up to date and changes nothing else.
	REPO and each DIR are absolute paths.

	  --root DIR           where releases/, shared/ and current are to be
	  --user NAME          who owns REPO and DIR and deploys; for root only.
	                       Without it: whoever owns REPO, or, when that
	                       is new, whoever runs this script
	  --prefix DIR         install there instead of /usr/local
	  --branch NAME        the branch that is deployed (main)
	  --environment NAME   what this deployment is called (production)
	  --transactional      a push fails when its deploy does

	Run it as root, or as a user who may use sudo.
	EOF
}

die() {
	echo "install.sh: $*" >&2
	exit "${status:-1}"
}

say() {
	echo "install.sh: $*"
}

prefix=/usr/local
user=
repo=
dir=
count=$#
while [ "$count" -gt 0 ]; do
	word=$1
	shift
	count=$((count - 1))
	case $word in
	-h|--help)
		usage
		exit 0 ;;
	--root|--user|--prefix|--branch|--environment)
		[ "$count" -gt 0 ] || status=2 die "$word needs a value"
		case $word in
		--root) dir=$1 ;;
		--user) user=$1 ;;
		--prefix) prefix=$1 ;;
		*) set -- "$@" "$word" "$1" ;;
		esac
		shift
		count=$((count - 1)) ;;
	--transactional)
		set -- "$@" "$word" ;;
	-*)
		status=2 die "$word is no option; see install.sh --help" ;;
	*)
		[ -z "$repo" ] || status=2 die "one REPO only, not $word, too"
		repo=$word ;;
	esac
done
if [ -z "$repo" ] && [ -z "$dir" ]; then
	usage >&2
	exit 2
fi
[ -n "$repo" ] || status=2 die "REPO is missing; see install.sh --help"
[ -n "$dir" ] || status=2 die "--root DIR is missing: where is $repo to" \
    "deploy to? See install.sh --help"

# absolute WHAT PATH
absolute() {
	case $2/ in
	*/../*|*/./*) status=2 die "$1 $2: no '.' or '..' on the way, please" ;;
	/*) ;;
	*) status=2 die "$1 must be an absolute path, not $2" ;;
	esac
}
absolute REPO "$repo"
absolute --root "$dir"
absolute --prefix "$prefix"

# Paths on standard input without white space and slashes that mean nothing.
plain() {
	sed 's/[[:space:]]*$//' | tr -s / | sed 's/\(.\)\/$/\1/'
}

# A config that is there says where the site is, whatever --root says.
roots() {
	sed -n 's/^[[:space:]]*root[[:space:]]*[=:][[:space:]]*//p' \
	    "$repo/slipway.ini" | plain
}
dir=$(echo "$dir" | plain)
if [ -r "$repo/slipway.ini" ] && ! roots | grep -F -x -q -e "$dir"; then
	status=2 die "--root $dir is not used: $repo/slipway.ini is there" \
	    "and has root = $(roots | paste -s -d " ")"
fi

# as_root COMMAND...: with sudo where that is needed.
me=$(id -un)
owner=$me
[ ! -d "$repo" ] || owner=$(stat -c %U "$repo")
if [ "$(id -u)" -eq 0 ]; then
	as_root() { "$@"; }
	[ -n "$user" ] || [ "$owner" = "$me" ] ||
	    say "$repo belongs to $owner, who will own $dir and deploy"
	owner=${user:-$owner}
	id -u "$owner" >/dev/null 2>&1 ||
	    die "there is no user $owner: useradd --create-home $owner"
elif [ -n "$user" ] && [ "$user" != "$me" ]; then
	status=2 die "--user is for root; you are $me"
elif [ "$owner" != "$me" ]; then
	die "$repo belongs to $owner: run this as $owner, or as root"
else
	command -v sudo >/dev/null ||
	    die "run this as root, or install sudo for $me"
	as_root() { sudo "$@"; }
fi

# as_owner COMMAND...: git and slipway must not look for root's HOME.
as_owner() {
	if [ "$owner" = "$me" ]; then
		"$@"
	else
		runuser -u "$owner" -- env HOME="$(getent passwd "$owner" |
		    cut -d : -f 6)" "$@"
	fi
}

# own FOLDER: have it, and have it belong to the owner if it is new.
own() {
	[ -d "$1" ] || as_owner mkdir -p "$1" 2>/dev/null ||
	    as_root install -d -m 755 -o "$owner" "$1" ||
	    die "cannot make $1"
	as_owner test -w "$1" ||
	    die "$1 is not writable for $owner: chown -R $owner $1"
}

echo "== packages"
install/bootstrap build
echo "== build"
make -s -j2 all
echo "== install into $prefix"
as_root make -s install PREFIX="$prefix"
echo "== set up $repo"
own "$repo"
own "$dir"
as_owner "$prefix/bin/slipway" init "$repo" --root "$dir" "$@"

echo "== done"
program=slipway
case :$PATH: in
*:"$prefix/bin":*)
	echo "The command is $prefix/bin/slipway." ;;
*)
	program=$prefix/bin/slipway
	cat <<-EOF
	The command is $prefix/bin/slipway. To find it and its manual:

	  export PATH="$prefix/bin:\$PATH" MANPATH="$prefix/share/man:"

	EOF
	;;
esac
if [ "$owner" != "$me" ]; then
	cat <<-EOF
	Pushes and commands are to be those of the user $owner, as in

	  sudo -u $owner $program status -C $repo
	EOF
fi
