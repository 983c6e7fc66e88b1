#!/bin/sh
# What has to survive a power cut is on the disk before what relies on it:
# the system calls of a deploy, in the order in which they ended.

. "$(dirname "$0")/../lib.sh"

strace -f -y -o "$T/probe" -e trace=syncfs true > /dev/null 2>&1 ||
    skip_all "strace cannot trace here"
case ${SLIPWAY_SANITIZE-} in
*address*) skip_all "the leak check of AddressSanitizer cannot be traced" ;;
esac

make_site
config <<'END'
shared = up/ empty/

[action build]
phase = build
run = echo built

[action data]
phase = migrate
record = echo recorded
run = echo migrated
undo = true
END
put up/seed 1
commit index.html 1 one
push_raw main:refs/heads/next
run strace -f -y -o "$T/trace" \
    -e trace=syncfs,fsync,fdatasync,rename,renameat,renameat2,mkdirat,symlinkat,execve \
    "$slipway" deploy -C "$repo" next
is_exit "a traced deploy succeeds" 0
check_invariants "after it"

# One line for each call that succeeded, when it ended: "fsync FOLDER",
# "rename FROM TO", "execve ARGUMENTS", with names in the place of what
# differs from run to run. A call that another process cut in two is put
# together again.
release=$(current)
sed -E 's/^([0-9]+) +/\1 /' "$T/trace" | awk '
	/ <unfinished \.\.\.>$/ {
		sub(/ <unfinished \.\.\.>$/, "")
		begun[$1] = $0
		next
	}
	/ <\.\.\. [a-z0-9]+ resumed>/ {
		pid = $1
		sub(/^[0-9]+ <\.\.\. [a-z0-9]+ resumed>/, "")
		$0 = begun[pid] $0
	}
	/ = 0$/ { sub(/ = 0$/, ""); print }' | sed -E \
    -e "s,$T/srv/?,root/,g; s,$repo/,repo/,g; s,$release,RELEASE,g" \
    -e 's,\.\./,UP/,g' -e 's/^[0-9]+ //; s/[0-9]+<([^>]*)>/\1/g; s,/",",g' \
    -e 's/\.[0-9]+(\.[0-9]+)?\.tmp/.tmp/g' > "$T/calls"

# in_order WHAT CALL...: the calls are there, one after the other; each is
# the beginning of a line.
in_order() {
	_what=$1
	shift
	printf '%s\n' "$@" > "$T/wanted"
	ok "$_what" awk '
		BEGIN { n = seen = 0 }
		NR == FNR { wanted[n++] = $0; next }
		seen < n && index($0, wanted[seen]) == 1 { seen++ }
		END {
			if (seen < n)
				print "not there, or too late: " wanted[seen]
			exit seen < n
		}' "$T/wanted" "$T/calls" || diag "$(cat "$T/calls")"
}

m=root/.slipway/manifest
in_order "the manifest is there before the release has its name" \
    "renameat($m, \"RELEASE.new\", $m, \"RELEASE\"" \
    'renameat(root/releases, "RELEASE.partial", root/releases, "RELEASE")'
in_order "which is durable, with all that was built, before it goes live" \
    'renameat(root/releases, "RELEASE.partial", root/releases, "RELEASE")' \
    'execve("/bin/sh", ["/bin/sh", "-c", "echo built"]' \
    "syncfs(root/releases/RELEASE)" \
    'renameat(root/, ".current.tmp", root/, "current")'
in_order "a seed is durable before it has its name, and then that" \
    "syncfs(root/shared)" \
    'renameat(root/shared, ".RELEASE.seed", root/shared, "up")' \
    "fsync(root/shared)"
in_order "a folder that is made is durable before a link leads to it" \
    "mkdirat(root/shared, \"empty\"" "syncfs(root/shared)" \
    'symlinkat("UP/UP/shared/empty", root/releases/RELEASE'
in_order "a release is durable after its build, before it is live" \
    'execve("/bin/sh", ["/bin/sh", "-c", "echo built"]' \
    "syncfs(root/releases/RELEASE)" \
    'renameat(root/, ".current.tmp", root/, "current")' \
    "fsync(root/)"
r=root/.slipway/record/RELEASE
in_order "a record is durable before its step" \
    'execve("/bin/sh", ["/bin/sh", "-c", "echo recorded"]' \
    "fsync($r/data.partial)" \
    "rename(\"$r/data.partial\", \"$r/data\")" \
    "fsync($r)" \
    'execve("/bin/sh", ["/bin/sh", "-c", "echo migrated"]'
in_order "and the journal before a step that it tells of" \
    "syncfs(root/releases/RELEASE)" \
    "fdatasync(repo/slipway/journal.db)" \
    'execve("/bin/sh", ["/bin/sh", "-c", "echo migrated"]'
in_order "what became of the step is durable before the release is live" \
    'execve("/bin/sh", ["/bin/sh", "-c", "echo migrated"]' \
    "fsync($r/data.after.partial)" \
    "rename(\"$r/data.after.partial\", \"$r/data.after\")" \
    "fsync($r)" \
    "fdatasync(repo/slipway/journal.db)" \
    'renameat(root/, ".current.tmp", root/, "current")'

# Only the name of a journal that is made anew has to be made durable.
is "the journal's folder is not synced for a name that is there" \
    "$(grep -c '^fdatasync(repo/slipway)' "$T/calls")" 0
rm "$repo/slipway/journal.db-journal"
run strace -f -y -o "$T/trace" -e trace=fdatasync \
    "$slipway" deploy -C "$repo" next
is_exit "a deploy without it succeeds" 0
is "it is synced for one that is made, once" \
    "$(grep -c "fdatasync([0-9]*<$repo/slipway>" "$T/trace")" 1
done_testing
