# lib.sh - what the flow tests share: TAP, a fresh site, the invariants.
#
# A test is a shell script around real pushes:
#
#	. "$(dirname "$0")/../lib.sh"
#	make_site
#	commit index.html hello "first page"
#	push
#	is "the page is live" "$(live_file index.html)" hello
#	done_testing
#
# Everything happens in a folder of the test's own, $T, which holds HOME,
# too, and is removed at the end (SLIPWAY_KEEP=1 keeps it). Every push and
# every "slipway" that is run through run() is followed by a check of the
# invariants of all sites.
#
#	$T		the folder
#	$repo $root	the bare repository and the root of "production"
#	$work		the developer's clone, remote "production"
#	$status $out $err	of the last run(), and of the last push()
#	$banner		what the server said during the last push()
#
# Names that start with an underscore are this file's own.

set -u

here=$(cd "$(dirname "$0")/.." && pwd)
build=${SLIPWAY_BUILD:-$(dirname "$here")/build}
slipway=$build/bin/slipway
python=/usr/bin/python3

T=$(mktemp -d "${TMPDIR:-/tmp}/slipway-test.XXXXXX")
T=$(cd "$T" && pwd -P)

for _name in $(env | sed -n 's/^\(GIT_[A-Z0-9_]*\|SLIPWAY_[A-Z_]*\)=.*/\1/p')
do
	case $_name in
	SLIPWAY_KEEP|SLIPWAY_SANITIZE|SLIPWAY_BUILD) ;;
	*) unset "$_name" ;;
	esac
done
unset LD_PRELOAD SSH_AUTH_SOCK XDG_CONFIG_HOME || true
export HOME="$T/home" LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=UTC
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL="$HOME/.gitconfig"
export GIT_TERMINAL_PROMPT=0
export PATH="$build/bin:$PATH"
umask 022

mkdir "$HOME"
cat > "$GIT_CONFIG_GLOBAL" <<-EOF
	[user]
		name = Alice
		email = alice@example.org
	[init]
		defaultBranch = main
	[advice]
		detachedHead = false
	[protocol]
		version = 2
	[gc]
		auto = 0
EOF
cd "$T" || exit 1

_count=0
_failed=0
_sites=
_pids=
status=0
out=
err=
banner=

diag() {
	printf '%s\n' "$@" | sed 's/^/# /'
}

# result 0|1 WHAT: one line of TAP.
_result() {
	_count=$((_count + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' "$_count" "$2"
	else
		_failed=$((_failed + 1))
		printf 'not ok %d - %s\n' "$_count" "$2"
	fi
	return "$1"
}

pass() {
	_result 0 "$1"
}

fail() {
	_result 1 "$1"
}

# ok WHAT COMMAND...: passes when the command exits with 0.
ok() {
	_what=$1
	shift
	if "$@" > "$T/.ok" 2>&1; then
		_result 0 "$_what"
	else
		_result 1 "$_what"
		diag "failed: $*" "$(tail -n 20 "$T/.ok")"
		return 1
	fi
}

# not_ok WHAT COMMAND...: passes when the command fails.
not_ok() {
	_what=$1
	shift
	if "$@" > "$T/.ok" 2>&1; then
		_result 1 "$_what"
		diag "should have failed: $*" "$(tail -n 20 "$T/.ok")"
		return 1
	fi
	_result 0 "$_what"
}

# is WHAT GOT WANT
is() {
	if [ "$2" = "$3" ]; then
		_result 0 "$1"
	else
		_result 1 "$1"
		diag "got:" "$2" "want:" "$3"
		return 1
	fi
}

isnt() {
	if [ "$2" != "$3" ]; then
		_result 0 "$1"
	else
		_result 1 "$1"
		diag "got what it should not be:" "$2"
		return 1
	fi
}

# like WHAT TEXT REGEX: some line of the text matches (extended, any case).
like() {
	if printf '%s\n' "$2" | grep -E -i -q -e "$3"; then
		_result 0 "$1"
	else
		_result 1 "$1"
		diag "no line matches: $3" "$2"
		return 1
	fi
}

unlike() {
	if printf '%s\n' "$2" | grep -E -i -q -e "$3"; then
		_result 1 "$1"
		diag "should match nowhere: $3" "$2"
		return 1
	fi
	_result 0 "$1"
}

# is_exit WHAT WANT: of the last run() or push().
is_exit() {
	if [ "$status" -eq "$2" ]; then
		_result 0 "$1"
	else
		_result 1 "$1"
		diag "exit status $status, want $2" "$out" "$err"
		return 1
	fi
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# A test that does not get here has no plan, and prove says so.
done_testing() {
	echo "1..$_count"
	[ "$_failed" -eq 0 ]
	exit
}

# run COMMAND...: $out, $err and $status of it; never fails itself.
run() {
	status=0
	"$@" > "$T/.out" 2> "$T/.err" < /dev/null || status=$?
	out=$(cat "$T/.out")
	err=$(cat "$T/.err")
}

# slip ARGUMENT...: run slipway on $repo, then check the invariants.
slip() {
	_verb=$1
	shift
	run "$slipway" "$_verb" -C "$repo" "$@"
	check_invariants "after slipway $_verb${*:+ $*}"
}

# json PATH: one value of a JSON text on stdin, "0.steps.1.exit"; objects
# and arrays come out as JSON with sorted keys, "length" counts.
json() {
	perl "$here/tool/json.pl" "$@"
}

# deploy N PATH: a field of "show N --json".
deploy() {
	"$slipway" show -C "$repo" "$1" --json 2>/dev/null | json "$2"
}

# newest PATH [OPTION...]: a field of the newest deploy.
newest() {
	_path=$1
	shift
	"$slipway" log -C "$repo" --json "$@" 2>/dev/null | json "0.$_path"
}

# sql STATEMENT: asked of the journal.
sql() {
	sqlite3 -batch -noheader "$repo/slipway/journal.db" "$1"
}

# wait_for SECONDS COMMAND...: until it succeeds; false when time is up.
wait_for() {
	_until=$(($(date +%s) + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ "$(date +%s)" -le "$_until" ] || return 1
		sleep 0.05
	done
}

# ended PID: no such process, or a zombie of somebody else.
ended() {
	! kill -0 "$1" 2>/dev/null ||
	    grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# started PID...: to be killed at the end, if they still live.
started() {
	_pids="$_pids $*"
}

# make_site [OPTION...]: slipway init, and a clone with a remote. The
# options go to init behind those for "production" on main.
make_site() {
	repo=$T/shop.git
	root=$T/srv
	work=$T/work
	if ! "$slipway" init "$repo" --root "$root" --branch main \
	    --environment production "$@" > "$T/.init" 2>&1; then
		diag "slipway init failed" "$(cat "$T/.init")"
		exit 1
	fi
	_sites="production:$root"
	git init -q "$work"
	git -C "$work" remote add production "$repo"
}

# add_site ENVIRONMENT ROOT: another one whose invariants are checked.
add_site() {
	_sites="$_sites
$1:$2"
}

# config: slipway.ini from stdin; keys of [app] first, then sections.
config() {
	{
		printf '[environment production]\nbranch = main\n\n'
		printf '[app]\nname = shop\nroot = %s\n' "$root"
		cat
	} > "$repo/slipway.ini"
}

# config_trace: a config from stdin whose commands can write to $T/trace
# through $TRACE.
config_trace() {
	{
		printf 'env.TRACE = %s\n' "$T/trace"
		cat
	} | config
	: > "$T/trace"
}

trace() {
	cat "$T/trace"
}

# put FILE CONTENT: in the work tree, staged.
put() {
	mkdir -p "$work/$(dirname "$1")"
	printf '%s\n' "$2" > "$work/$1"
	git -C "$work" add -- "$1"
}

# script FILE: an executable from stdin, staged.
script() {
	mkdir -p "$work/$(dirname "$1")"
	cat > "$work/$1"
	chmod +x "$work/$1"
	git -C "$work" add -- "$1"
}

# run_over_git LINES COMMAND...: like run, where git does these lines of sh
# before it is itself. False, with nothing run, where that is not to be had.
run_over_git() {
	{
		printf '#!/bin/sh\n%s\n' "$1"
		printf 'exec "%s" "$@"\n' "$T/real-git"
	} > "$T/git"
	shift
	chmod +x "$T/git"
	if ! unshare -m true 2> /dev/null ||
	    ! cp /usr/bin/git "$T/real-git"; then
		return 1
	fi
	run unshare -m sh -c 'mount --bind "$1" /usr/bin/git && shift &&
	    exec "$@"' sh "$T/git" "$@"
}

# commit FILE CONTENT MESSAGE
commit() {
	put "$1" "$2"
	git -C "$work" commit -q -m "$3"
}

head_of() {
	git -C "$work" rev-parse "${1:-HEAD}"
}

# push_raw [ARGUMENT...]: git push production; main unless told otherwise.
push_raw() {
	[ $# -gt 0 ] || set -- main
	run git -C "$work" push production "$@"
	banner=$(printf '%s\n' "$err" |
	    sed -n 's/^remote: \{0,1\}//p' | sed 's/[[:space:]]*$//')
}

# push [ARGUMENT...]: the same, then the invariants.
push() {
	push_raw "$@"
	check_invariants "after push${*:+ $*}"
}

# push_file FILE CONTENT MESSAGE [ARGUMENT...]: commit and push.
push_file() {
	commit "$1" "$2" "$3"
	shift 3
	push "$@"
}

current() {
	basename "$(readlink "$root/current")"
}

# live_file FILE: what a visitor would get.
live_file() {
	cat "$root/current/$1"
}

# Everything that a refused push must leave alone, as text.
snapshot() {
	git -C "$repo" for-each-ref
	readlink "$root/current" || true
	(cd "$root" && find . -path ./shared -prune -o -print | sort)
}

. "$here/invariants.sh"
. "$here/sshd.sh"

# What a failed test may have left behind lives in the test's folder: its
# own children, runners of its repository, commands of its releases.
_end() {
	_status=$?
	trap - EXIT
	cd /
	for _pid in $_pids $(slipway_processes); do
		kill "$_pid" 2>/dev/null
	done
	for _proc in /proc/[0-9]*; do
		_cwd=$(readlink "$_proc/cwd" 2>/dev/null) || continue
		case $_cwd in
		"$T"|"$T"/*) kill -9 "${_proc#/proc/}" 2>/dev/null ;;
		esac
	done
	if [ "${SLIPWAY_KEEP-}" = 1 ]; then
		diag "kept: $T"
	else
		chmod -R u+w "$T" 2>/dev/null
		rm -rf "$T" || { sleep 0.2; rm -rf "$T"; }
	fi
	exit "$_status"
}

trap _end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

[ -x "$slipway" ] || skip_all "$slipway is not there: run make first"
