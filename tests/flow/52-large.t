#!/bin/sh
# Large things: a file that does not fit into memory, very many files, wide
# and deep folders, long names.

. "$(dirname "$0")/../lib.sh"

[ -z "${SLIPWAY_SANITIZE-}" ] ||
	skip_all "sanitizers take more memory than this allows"

# fast_import: a commit of what the generator on stdin names.
fast_import() {
	git -C "$repo" -c core.compression=0 fast-import --quiet --force \
	    > /dev/null
}

# Memory is limited by a control group where one can be made; else address
# space is, and then the pack has to be one, since git maps a loose object
# whole.
limit=536870912
group=/sys/fs/cgroup/memory/slipway-test.$$
if mkdir "$group" 2> /dev/null && [ -f "$group/memory.limit_in_bytes" ]; then
	echo $limit > "$group/memory.limit_in_bytes"
	trap 's=$?; rmdir "$group"; (exit "$s"); _end' EXIT
	diag "memory is limited by a control group"
else
	rmdir "$group" 2> /dev/null
	group=
fi

deploy_within() {
	if [ -n "$group" ]; then
		run sh -c 'echo $$ > "$1/cgroup.procs" &&
		    exec "$2" deploy -C "$3"' limit "$group" "$slipway" "$repo"
	else
		git -C "$repo" -c core.compression=0 repack -a -d -q
		run sh -c 'ulimit -v "$1" && exec "$2" deploy -C "$3"' limit \
		    $((limit / 1024)) "$slipway" "$repo"
	fi
	wait_for 20 idle
}

make_site
gigabyte=1073741824
perl -e '
	my $size = shift;
	print "blob\nmark :1\ndata $size\n";
	srand 1;
	my $piece = join "", map { chr int rand 256 } 1 .. 65536;
	for (1 .. $size / 65536) {
		substr($piece, int rand 65536, 1) = chr int rand 256;
		print $piece;
	}
	print "\ncommit refs/heads/main\ncommitter A <a\@b> 1700000000 +0000\n",
	    "data 4\nhuge\nM 100644 :1 huge.bin\n";
' $gigabyte | fast_import
deploy_within
is_exit "a file of 1 GB goes live in 512 MB of memory" 0
is "all of it" "$(stat -c %s "$root/current/huge.bin")" $gigabyte
ok "with every byte" sh -c 'git -C "$1" cat-file blob main:huge.bin |
    cmp - "$2"' cmp "$repo" "$root/current/huge.bin"
huge=$(stat -c %i "$root/current/huge.bin")

# Beside it 40,000 files, 10,000 of them in one folder, 60 levels, and names
# of 255 bytes. FILES=300000 takes minutes.
files=${FILES-40000}
perl -e '
	my $files = shift;
	my $long = "n" x 254;
	print "commit refs/heads/main\ncommitter A <a\@b> 1700000001 +0000\n",
	    "data 4\nmany\nfrom refs/heads/main^0\n";
	for my $i (1 .. $files) {
		my $path = $i <= 10000 ? "wide/f$i" :
		    sprintf "d%d/e%d/f%d", $i % 70, $i / 70 % 30, $i;

		print "M 100644 inline $path\ndata ", length $i, "\n$i\n";
	}
	for my $i (1 .. 9) {
		print "M 100755 inline ", "l/" x 59, "$i$long\ndata 1\nx\n";
	}
' "$files" | fast_import
deploy_within
is_exit "very many files go live, too" 0
is "each of them" "$(find "$root/current/" -type f | wc -l)" \
    "$((files + 10))"
is "the large one was not written again" \
    "$(stat -c %i "$root/current/huge.bin")" "$huge"
run "$slipway" drift -C "$repo"
is_exit "and is what was committed" 0
echo x >> "$root/current/wide/f77"
run "$slipway" drift -C "$repo"
is "an edit is found among them" "$(echo "$out" | sed 's/  (.*//')" \
    "modified  wide/f77"

perl -e '
	print "commit refs/heads/main\ncommitter A <a\@b> 1700000002 +0000\n",
	    "data 3\nfew\nfrom refs/heads/main^0\n",
	    "M 100644 inline wide/f1\ndata 3\nnew\nD wide/f2\n";
' | fast_import
deploy_within
is_exit "a small change of it" 0
is "is live" "$(live_file wide/f1)" new
not_ok "without what is gone" test -e "$root/current/wide/f2"
is "nor what was edited" "$(live_file wide/f77)" 77
done_testing
