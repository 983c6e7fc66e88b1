#!/bin/bash
# What a release holds is what git checkout, or git archive, would write.
#
# SEED chooses the generated trees, COUNT how many of them. Then come the
# repository's settings, and one large tree of this machine's own files.

. "$(dirname "$0")/../lib.sh"

tool=$build/tests/tool/checkout-tool
seed=${SEED:-20261120}
trees=${COUNT:-60}
bare=$T/trees.git

# Names, types, executable bits and link targets; owners' bits are git's.
listing() {
	(cd "$1" && find . -mindepth 1 \( -type l -printf '%P l %l\0' \) -o \
	    \( -type d -printf '%P d\0' \) -o -perm -u+x -printf '%P x\0' -o \
	    -printf '%P f\0' | sort -z)
}

# same A B: the same names, kinds and bytes; the first differences if not.
same() {
	listing "$1" > "$T/a.list"
	listing "$2" > "$T/b.list"
	cmp "$T/a.list" "$T/b.list" > "$T/differs" 2>&1 &&
	    diff -r --no-dereference "$1" "$2" > "$T/differs" 2>&1
}

# as_git REV FOLDER: what git checkout writes.
as_git() {
	mkdir "$2" &&
	GIT_INDEX_FILE=$T/index git --git-dir="$bare" --work-tree="$2" \
	    checkout -q -f "$1" -- . 2> "$T/said" || cat "$T/said"
	rm -f "$T/index"
}

# as_archive REV FOLDER: what git archive packs.
as_archive() {
	mkdir "$2" &&
	git --git-dir="$bare" archive -o "$T/x.tar" "$1" 2> "$T/said" &&
	    tar -x -C "$2" -f "$T/x.tar"
}

# compare NAME REV: both ways of writing one commit; prints what differs.
compare() {
	rm -rf "$T/ours" "$T/theirs" "$T/ours.x" "$T/theirs.x"
	as_git "$2" "$T/theirs"
	if ! "$tool" "$bare" "$2" "$T/ours" > "$T/said" 2>&1 ||
	    ! same "$T/ours" "$T/theirs"; then
		echo "$1: checkout"
		head -n 5 "$T/said" "$T/differs"
	fi
	[ -z "$(find "$T/ours" ! -type l \
	    ! -perm 0644 ! -perm 0755)" ] || echo "$1: a mode"
	# On malformed idents git checkout and git archive do not agree.
	case $2 in
	t*1) return ;;
	esac
	# What makes git archive itself fail says nothing about us.
	as_archive "$2" "$T/theirs.x" || return
	echo "$2" >> "$T/exported"
	if ! "$tool" -x "$bare" "$2" "$T/ours.x" > "$T/said" 2>&1 ||
	    ! same "$T/ours.x" "$T/theirs.x"; then
		echo "$1: export"
		head -n 5 "$T/said" "$T/differs"
	fi
}

compare_all() {
	for n in $(seq 1 "${1:-$trees}"); do
		compare "t$n" "t$n"
	done
}

: > "$T/differs"
git init -q --bare "$bare"
git -C "$bare" config filter.up.smudge 'tr a-z A-Z'
echo "# SEED=$seed COUNT=$trees"
"$here/tool/random-trees.pl" "$seed" "$trees" |
    git --git-dir="$bare" fast-import --quiet
is "$trees trees are generated" \
    "$(git -C "$bare" for-each-ref --format=x | grep -c x)" "$trees"
is "generated trees are written as by git" "$(compare_all)" ''
ok "of each six at least five were exported, too" \
    test "$(grep -c '^t[0-9]' "$T/exported")" -ge $((trees * 5 / 6))

git -C "$bare" config core.autocrlf true
is "core.autocrlf=true is honoured" "$(compare_all 6)" ''
git -C "$bare" config core.autocrlf input
git -C "$bare" config core.eol crlf
is "core.eol=crlf is honoured" "$(compare_all 6)" ''
git -C "$bare" config --unset core.autocrlf
git -C "$bare" config --unset core.eol
echo '*.txt ident eol=crlf' > "$bare/info/attributes"
is "info/attributes are honoured" "$(compare_all 6)" ''
rm "$bare/info/attributes"
echo '*.bin eol=crlf' > "$T/attributes"
git -C "$bare" config core.attributesFile "$T/attributes"
is "core.attributesFile is honoured" "$(compare_all 6)" ''
git -C "$bare" config --unset core.attributesFile

# One commit on an empty branch from the files of the folder $T/make.
commit_folder() {
	GIT_INDEX_FILE=$T/index git --git-dir="$bare" --work-tree="$T/make" \
	    add -A . &&
	tree=$(GIT_INDEX_FILE=$T/index git --git-dir="$bare" write-tree)
	rm -f "$T/index"
	git --git-dir="$bare" update-ref "refs/heads/$1" \
	    "$(git --git-dir="$bare" commit-tree -m "$1" "$tree")"
}

# fails NAME REV WORDS: the commit is refused with these words.
fails() {
	rm -rf "$T/ours"
	said=$("$tool" "$bare" "$2" "$T/ours" 2>&1)
	case "$?:$said" in
	0:*)	said="no error" ;;
	*"$3"*)	said= ;;
	esac
	is "$1" "$said" ''
}

mkdir "$T/make"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' \
    > "$T/make/big.psd"
commit_folder plain
is "a pointer that no attribute claims is a file" "$(compare p plain)" ''
echo '*.psd filter=lfs -text' > "$T/make/.gitattributes"
commit_folder lfs
fails "a Git LFS pointer is refused" lfs 'is in Git LFS'
git -C "$bare" config filter.lfs.smudge 'tr a-z A-Z'
is "a pointer that a driver resolves is written" "$(compare l lfs)" ''
git -C "$bare" config filter.lfs.smudge cat
fails "a driver that leaves the pointer is refused" lfs 'is in Git LFS'
git -C "$bare" config filter.lfs.smudge false
git -C "$bare" config filter.lfs.required true
fails "a required driver that fails is an error" lfs 'big.psd'

# bad NAME WORDS ENTRY: a tree of this entry is refused.
bad() {
	tree=$(echo "$3" | git -C "$bare" mktree --missing)
	git -C "$bare" update-ref refs/heads/bad \
	    "$(git -C "$bare" commit-tree -m bad "$tree")"
	fails "$1" bad "$2"
}

blob=$(echo text | git -C "$bare" hash-object -w --stdin)
bad "a submodule is refused" 'lib is a submodule (commit 1a2b3c4)' \
    "160000 commit 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d	lib"
for target in 'a\0b' "$(printf 'x%.0s' $(seq 4096))" ''; do
	# shellcheck disable=SC2059 # the NUL is to become one
	link=$(printf "$target" | git -C "$bare" hash-object -w --stdin)
	bad "a link to '${target:0:9}' is refused" 'target of a symlink' \
	    "120000 blob $link	link"
done

# Trees that git's own commands do not make.
raw_tree() {
	perl -e 'while (@ARGV) { my ($m, $n, $o) = splice(@ARGV, 0, 3);
	    print "$m $n\0", pack("H*", $o) }' -- "$@" |
	    git -C "$bare" hash-object -t tree --literally -w --stdin
}

raw() {
	name=$1 words=$2
	shift 2
	git -C "$bare" update-ref refs/heads/bad \
	    "$(git -C "$bare" commit-tree -m bad "$(raw_tree "$@")")"
	fails "$name" bad "$words"
}

folder=$(raw_tree 100644 f "$blob")
for mode in 104755 102755 100000 100600 100777 140000 60000; do
	raw "mode $mode is refused" 'in the tree' $mode file "$blob"
done
for name in .git .GIT git~1 .. . 'a/b' ''; do
	raw "the name '$name' is refused" '' 100644 "$name" "$blob"
done
raw "a file twice is refused" 'is there twice' \
    100644 f "$blob" 100755 f "$blob"
raw "a file and a folder of one name are refused" 'is there twice' \
    100644 d "$blob" 100644 d.x "$blob" 40000 d "$folder"
raw "a link and a folder of one name are refused" 'is there twice' \
    120000 d "$blob" 40000 d "$folder"
raw "a missing blob is an error" 'file: read' \
    100644 file 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d
raw "a folder where a file should be is an error" 'file' \
    100644 file "$folder"
deep=$folder
for _ in $(seq 256); do
	deep=$(raw_tree 40000 d "$deep")
done
raw "256 folders inside each other are refused" 'more than 256' \
    40000 d "$deep"
git -C "$bare" update-ref refs/heads/old \
    "$(git -C "$bare" commit-tree -m old "$(raw_tree 100664 f "$blob")")"
is "mode 100664 is 0644, as for git" "$(compare old old)" ''

# A large file goes from git into the release in pieces.
rm -rf "$T/make"
mkdir "$T/make"
head -c 20000000 /dev/urandom > "$T/make/large"
chmod +x "$T/make/large"
echo '*.x eol=crlf' > "$T/make/.gitattributes"
commit_folder large
is "a file of 20 MB is written as by git" "$(compare large large)" ''

# Folders that are empty once everything in them is ignored.
rm -rf "$T/make"
mkdir -p "$T/make/tests/deep" "$T/make/t2/x/y" "$T/make/t3/a" "$T/make/t3/b"
touch "$T/make/index" "$T/make/tests/a" "$T/make/tests/deep/b" \
    "$T/make/t2/x/y/z" "$T/make/t3/a/c" "$T/make/t3/b/d"
printf '%s export-ignore\n' 'tests/**' 't2/x/y/*' 't3/**' \
    > "$T/make/.gitattributes"
commit_folder emptied
is "an export has the folders that git archive has" \
    "$(compare emptied emptied)" ''

# The machine's own files, as many as fit.
rm -rf "$T/make"
mkdir "$T/make"
for from in /usr/include /usr/lib/python3 /usr/share/doc /usr/share/perl; do
	[ -d "$from" ] || continue
	(cd / && find ".$from" \( -type f -size -200k -o -type l \) -print0 |
	    head -z -n 3000 | tar -c --null -T - 2> "$T/said") |
	    tar -x -C "$T/make"
done
chmod -R u+rwX "$T/make"
find "$T/make" -name .gitattributes -delete
commit_folder real
git -C "$bare" update-ref -d refs/heads/bad
git -C "$bare" repack -adq
echo "# $(find "$T/make" ! -type d | wc -l) files of this machine"
is "the machine's own files are written as by git" \
    "$(compare real real)" ''
done_testing
