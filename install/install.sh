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

	  --root DIR           where releases/, shared/ and current are to be
	  --user NAME          who owns REPO and DIR and deploys; for root only.
	                       Without it: whoever runs this script
	  --prefix DIR         install there instead of /usr/local

	All other options go to "slipway init":

	  --branch NAME        the branch that is deployed (main)
	  --environment NAME   what this deployment is called (production)

	Run it as root, or as a user who may use sudo.
	EOF
}

die() {
	echo "install.sh: $*" >&2
	exit "${status:-1}"
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
	--root|--user|--prefix)
		[ "$count" -gt 0 ] || status=2 die "$word needs a value"
		case $word in
		--root) dir=$1 ;;
		--user) user=$1 ;;
		--prefix) prefix=$1 ;;
		esac
		shift
		count=$((count - 1)) ;;
	--branch|--environment)
		[ "$count" -gt 0 ] || status=2 die "$word needs a value"
		set -- "$@" "$word" "$1"
		shift
		count=$((count - 1)) ;;
	-*)
		set -- "$@" "$word" ;;
	*)
		[ -z "$repo" ] || status=2 die "one REPO only, not $word, too"
		repo=$word ;;
	esac
done
if [ -z "$repo" ] || [ -z "$dir" ]; then
	usage >&2
	exit 2
fi
case $repo in
/*) ;;
*) status=2 die "REPO must be an absolute path, not $repo" ;;
esac
case $dir in
/*) ;;
*) status=2 die "--root must be an absolute path, not $dir" ;;
esac

# as_root COMMAND...: with sudo where that is needed.
if [ "$(id -u)" -eq 0 ]; then
	as_root() { "$@"; }
	[ -z "$user" ] || id -u "$user" >/dev/null 2>&1 ||
	    die "there is no user $user: useradd --create-home $user"
elif [ -n "$user" ] && [ "$user" != "$(id -un)" ]; then
	status=2 die "--user is for root; you are $(id -un)"
else
	command -v sudo >/dev/null ||
	    die "run this as root, or install sudo for $(id -un)"
	as_root() { sudo "$@"; }
fi
owner=${user:-$(id -un)}

# as_owner COMMAND...
as_owner() {
	if [ "$owner" = "$(id -un)" ]; then
		"$@"
	else
		runuser -u "$owner" -- "$@"
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
