# invariants.sh - what must be true of every site after every event.
#
# A part of lib.sh. A site is idle when its runner has ended; then
#
#	- "current" is a symlink into releases/ that resolves, and is the
#	  release of the one deploy that the journal calls live
#	- that release is byte for byte its commit, with plain modes
#	- refs/live/ENVIRONMENT is its commit, and so is the branch of a
#	  transactional environment
#	- no partial release and no trash is left, no lock is held, no
#	  process of ours still runs, every deploy has come to an end
#	- the journal is sound, its chain verifies, the repository is clean
#	- no sanitizer had anything to say

_broken() {
	printf '%s\n' "$1" >> "$T/.broken"
}

# Processes of this test's programs: those whose program is ours and which
# have the test's folder in their command line, or a file in it open.
slipway_processes() {
	for _proc in /proc/[0-9]*; do
		_exe=$(readlink "$_proc/exe" 2>/dev/null) || continue
		[ "${_exe% (deleted)}" = "$slipway" ] || continue
		if tr '\0' ' ' < "$_proc/cmdline" 2>/dev/null |
		    grep -q -F "$T" ||
		    find "$_proc/fd" -lname "$T*" 2>/dev/null | grep -q .
		then
			echo "${_proc#/proc/}"
		fi
	done 2>/dev/null
}

# program WORD: those that have it in their command line: "runner", "agent".
program() {
	for _p in $(slipway_processes); do
		tr '\0' ' ' < "/proc/$_p/cmdline" 2>/dev/null |
		    grep -q " $1 " && echo "$_p"
	done
}

idle() {
	[ -z "$(slipway_processes)" ]
}

_lock_free() {
	[ ! -e "$1" ] || flock -n "$1" true
}

# Paths of the app's "shared" key, from the config.
_shared() {
	sed -n 's/^shared[[:space:]]*=//p' "$repo/slipway.ini" |
	    tr -s ' \t' '\n' | sed 's,/$,,; /^$/d'
}

# _transactional_branch ENVIRONMENT: its branch if it is one; config only
# says so in [app] or in the section itself. Set level=no where the config
# has just been changed.
_transactional_branch() {
	[ "${level-}" = no ] || awk -v want="[environment $1]" '
		/^\[/ { section = $0 }
		/^transactional[ \t]*=/ { is[section] = $NF }
		/^branch[ \t]*=/ && section == want { branch = $NF }
		END {
			said = is["[app]"]
			if (want in is)
				said = is[want]
			if (said == "yes")
				print branch
		}' "$repo/slipway.ini"
}

# _listing FOLDER: type, mode, path and content of all that is in it.
_listing() {
	(
		cd "$1" || exit 1
		find . -type f -printf '%m %p ' -exec sha256sum {} \; |
		    sed 's/ \([0-9a-f]\{64\}\)  .*/ \1/'
		find . -type l -printf 'link %p %l\n'
	) | sort
}

# The live folder is its commit: nothing missing, nothing changed, and
# nothing more, unless the test says extras=yes. Set export_ignore=yes for
# a site with "export", and built to the paths that its actions edit.
_check_folder() {
	rm -rf "$T/.want" "$T/.have"
	mkdir "$T/.want"
	if [ "${export_ignore-}" = yes ]; then
		git -C "$repo" -c tar.umask=022 archive "$2" | tar -x -C "$T/.want"
	else
		GIT_INDEX_FILE=$T/.index git --git-dir="$repo" \
		    --work-tree="$T/.want" read-tree "$2" &&
		GIT_INDEX_FILE=$T/.index git --git-dir="$repo" \
		    --work-tree="$T/.want" checkout-index -a -q
	fi || _broken "cannot check out $2"
	cp -a "$1" "$T/.have"
	{ _shared; printf '%s\n' ${built-}; } | while read -r _path; do
		[ -n "$_path" ] || continue
		rm -rf "$T/.want/$_path" "$T/.have/$_path"
	done
	_listing "$T/.want" > "$T/.want.txt"
	_listing "$T/.have" > "$T/.have.txt"
	if [ "${extras-}" = yes ]; then
		comm -23 "$T/.want.txt" "$T/.have.txt" > "$T/.differs"
	else
		comm -3 "$T/.want.txt" "$T/.have.txt" > "$T/.differs"
	fi
	[ ! -s "$T/.differs" ] ||
	    _broken "$1 is not $2: $(head -n 5 "$T/.differs")"
	rm -rf "$T/.want" "$T/.have" "$T/.index"
	if find "$1" ! -type l -perm /7000 | grep -q .; then
		_broken "$1 holds setuid, setgid or sticky files"
	fi
}

# _check_site ENVIRONMENT ROOT
_check_site() {
	wait_for 10 _lock_free "$repo/slipway/$1.lock" ||
	    _broken "$1: the lock is held"
	wait_for 10 _lock_free "$2/.slipway/lock" ||
	    _broken "$2: the lock of the root is held"
	find "$2/releases" -maxdepth 1 -name '*.partial' 2>/dev/null |
	    grep -q . && _broken "$2: a partial release is left"
	find "$2/.slipway/trash" -mindepth 1 2>/dev/null |
	    grep -q . && _broken "$2: something is left in the trash"
	find "$2/.slipway/trial" -mindepth 1 2>/dev/null |
	    grep -q . && _broken "$2: a checkout of the gate is left"

	"$slipway" log -C "$repo" -e "$1" --json --state live -n 10 \
	    > "$T/.live" 2> "$T/.live.err" ||
	    _broken "log --state live: $(cat "$T/.live.err")"
	_n=$(json length < "$T/.live")
	if [ "$_n" = 0 ]; then
		[ ! -e "$2/current" ] && [ ! -L "$2/current" ] ||
		    _broken "$2: current is there, no deploy is live"
		git -C "$repo" rev-parse -q --verify "refs/live/$1" \
		    > /dev/null && _broken "refs/live/$1 is there"
		return
	fi
	[ "$_n" = 1 ] || _broken "$1: $_n deploys are live"
	_release=$(json 0.release < "$T/.live")
	_commit=$(json 0.commit < "$T/.live")
	[ -L "$2/current" ] || _broken "$2/current is no symlink"
	_link=$(readlink "$2/current")
	case $_link in
	releases/[0-9]*) ;;
	*) _broken "current points to $_link" ;;
	esac
	[ -d "$2/current/" ] || _broken "current does not resolve"
	[ "$_link" = "releases/$_release" ] ||
	    _broken "current is $_link, the journal says $_release"
	[ -f "$2/.slipway/manifest/$_release" ] ||
	    _broken "$_release has no manifest"
	[ "$(git -C "$repo" rev-parse -q --verify "refs/live/$1")" = \
	    "$_commit" ] || _broken "refs/live/$1 is not $_commit"
	# A transactional branch is what is live, on whatever branch it is.
	_branch=$(_transactional_branch "$1")
	[ -z "$_branch" ] ||
	    [ "$(git -C "$repo" rev-parse -q --verify \
	        "refs/heads/$_branch")" = "$_commit" ] ||
	    _broken "refs/heads/$_branch is not $_commit"
	_check_folder "$2/releases/$_release" "$_commit"
}

# check_invariants [WHEN]: one line of TAP for all of them.
check_invariants() {
	_when=${1:-}
	rm -f "$T/.broken"
	wait_for 15 idle ||
	    _broken "still running: $(ps -o pid=,args= -p \
	        "$(slipway_processes | paste -s -d , -)" 2>&1)"
	while IFS=: read -r _environment _root; do
		[ -z "$_environment" ] || _check_site "$_environment" "$_root"
	done <<-EOF
	$_sites
	EOF
	if [ -e "$repo/slipway/journal.db" ]; then
		_text=$(sql 'PRAGMA integrity_check' 2>&1)
		[ "$_text" = ok ] || _broken "integrity_check: $_text"
		_text=$(sql 'PRAGMA foreign_key_check' 2>&1)
		[ -z "$_text" ] || _broken "foreign_key_check: $_text"
		_text=$("$slipway" verify -C "$repo" 2>&1) ||
		    _broken "slipway verify: $_text"
		_text=$("$slipway" log -C "$repo" --json -n 1000 |
		    json states)
		for _state in $_text; do
			case $_state in
			live|retired|failed|rolled-back|broken) ;;
			superseded|cancelled) ;;
			*) _broken "a deploy is left $_state" ;;
			esac
		done
	fi
	_text=$(git -C "$repo" fsck --strict --no-progress --no-dangling \
	    2>&1) || _broken "git fsck: $_text"
	if grep -r -l -s -E 'Sanitizer|runtime error:' "$repo/slipway" \
	    "$T"/.out "$T"/.err > "$T/.sanitizer"; then
		_broken "a sanitizer spoke in $(cat "$T/.sanitizer"):
$(xargs grep -h -A 20 -E 'Sanitizer|runtime error:' < "$T/.sanitizer" |
    head -n 40)"
	fi
	if [ -s "$T/.broken" ]; then
		_result 1 "invariants ${_when}"
		diag "$(cat "$T/.broken")"
		return 1
	fi
	_result 0 "invariants ${_when}"
}
