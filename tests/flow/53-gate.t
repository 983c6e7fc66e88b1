#!/bin/sh
# What must not land is refused before anything changes, with the path, the
# reason and a remedy, and the journal has it.

. "$(dirname "$0")/../lib.sh"

make_site
# It is our own gate that is looked at, not git's.
git -C "$repo" config receive.fsckObjects false
config <<EOF
shared = uploads/ sites/default/files/ conf/local.php
carry = vendor/cache/
EOF
mkdir -p "$root/shared/uploads" "$root/shared/sites/default/files" \
    "$root/shared/conf" "$T/outside"
echo local > "$root/shared/conf/local.php"
echo precious > "$T/outside/file"
put index.html "first"
put src/a.txt "a"
put src/b.txt "b"
commit readme "x" "a site"
push
is_exit "a plain commit lands" 0
before=$(snapshot)
blob=$(echo text | git -C "$work" hash-object -w --stdin)

# A tree of MODE NAME OID ..., whatever they are.
raw_tree() {
	perl -e 'while (@ARGV) { my ($m, $n, $o) = splice(@ARGV, 0, 3);
	    print "$m $n\0", pack("H*", $o) }' -- "$@" |
	    git -C "$work" hash-object -t tree --literally -w --stdin
}

# push_tree TREE: as the next commit of main.
push_tree() {
	bad=$(git -C "$work" commit-tree -p main -m bad "$1")
	push_raw --force "$bad:main"
}

link_to() {
	printf '%s' "$1" | git -C "$work" hash-object -w --stdin
}

# refused WHAT WORDS TREE: with these words, in the banner and the journal.
refused() {
	push_tree "$3"
	isnt "$1: the push is refused" "$status" 0
	like "$1: it says where and what to do" "$banner" \
	    "error: production: $2"
	is "$1: nothing has changed" "$(snapshot)" "$before"
	like "$1: the journal has it" "$(sql "SELECT state || ' ' || reason
	    FROM pushes ORDER BY id DESC LIMIT 1")" "^refused production: $2"
}

for mode in 104755 102755 101644 100000 100600 100777 140000 60000 10000; do
	refused "mode $mode" "f has mode $mode in the tree, .*; make the" \
	    "$(raw_tree "$mode" f "$blob")"
done
for name in .git .GIT .gIt git~1 GIT~1 .git. '.git ' '.git . .' \
    '.git::$INDEX_ALLOCATION' "$(printf '.g\342\200\214it')" \
    "$(printf '\357\273\277.git')" "$(printf '.gi\342\200\256t')" \
    .. . ../x a/b a/../b /etc/passwd; do
	refused "the name '$name'" '.* is not a name .*; rename it' \
	    "$(raw_tree 100644 "$name" "$blob")"
done
refused "a name of 256 bytes" 'n+\.\.\. is not a name .*rename it' \
    "$(raw_tree 100644 "$(printf 'n%.0s' $(seq 256))" "$blob")"
refused "escape" 'a\\x1bb has a control character.*rename' \
    "$(raw_tree 100644 "$(printf 'a\033b')" "$blob")"
refused "a line feed" 'a\\x0ab has a control character.*rename' \
    "$(raw_tree 100644 "$(printf 'a\nb')" "$blob")"
refused "delete" 'a\\x7fb has a control character.*rename' \
    "$(raw_tree 100644 "$(printf 'a\177b')" "$blob")"
refused "a file twice" 'f is there twice' \
    "$(raw_tree 100644 f "$blob" 100755 f "$blob")"
folder=$(raw_tree 100644 f "$blob")
refused "a file and a folder of one name" 'd is there twice' \
    "$(raw_tree 100644 d "$blob" 100644 d.x "$blob" 40000 d "$folder")"
refused "deep in a folder" 'a/b/\.git is not a name' \
    "$(raw_tree 40000 a "$(raw_tree 40000 b \
        "$(raw_tree 100644 .git "$blob")")")"
deep=$folder
for _ in $(seq 256); do
	deep=$(raw_tree 40000 d "$deep")
done
refused "256 folders inside each other" 'd/d.*more than 256 .*flatter' \
    "$deep"
name=$(printf 'n%.0s' $(seq 250))
deep=$folder
for _ in $(seq 17); do
	deep=$(raw_tree 40000 "$name" "$deep")
done
refused "a path of 4,268 bytes" '.*: a path of [0-9]+ bytes.*shorten' "$deep"
# git leaves submodules to others, and does not ask for their commits.
refused "a submodule" \
    'lib is a submodule \(commit 1a2b3c4\).*commit its files' \
    "$(raw_tree 160000 lib 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d)"
for target in '' "$(printf 't%.0s' $(seq 4096))"; do
	refused "a target of ${#target} bytes" 'l is a symlink with a target' \
	    "$(raw_tree 120000 l "$(link_to "$target")")"
done
zero=$(printf 'a\0b' | git -C "$work" hash-object -w --stdin)
refused "a target with a NUL" 'l is a symlink with a target' \
    "$(raw_tree 120000 l "$zero")"

# Where symlinks lead.
abs=$(link_to /etc/passwd) esc=$(link_to ../../etc) up=$(link_to ..)
refused "an absolute symlink" \
    'abs is a symlink to /etc/passwd, which leads out.*symlinks = any' \
    "$(raw_tree 120000 abs "$abs")"
refused "one that leads out" 'a/esc is a symlink to ../../etc' \
    "$(raw_tree 40000 a "$(raw_tree 120000 esc "$esc")")"
refused "a chain that leads out" 'chain is a symlink to d/up/\.\.' \
    "$(raw_tree 120000 chain "$(link_to d/up/..)" \
        40000 d "$(raw_tree 120000 up "$up")")"
refused "one that leads through shared files" \
    'l is a symlink to uploads/../x, which leads through shared' \
    "$(raw_tree 120000 l "$(link_to uploads/../x)")"
push_tree "$(raw_tree 120000 a "$(link_to b)" 120000 b "$(link_to a)" \
    120000 c "$(link_to a)" 100644 index.html "$blob")"
is_exit "a loop of links leads nowhere, and lands" 0
check_invariants "after it"
push_raw --force main
check_invariants "after the site is back"
before=$(snapshot)

# What is ours.
outside=$(link_to "$T/outside")
refused "a symlink above a shared folder" \
    'sites/default is a symlink, and slipway.ini has shared = sites/def' \
    "$(raw_tree 40000 sites "$(raw_tree 120000 default \
        "$(link_to nowhere)")")"
refused "one higher up" 'sites is a symlink.*take it out' \
    "$(raw_tree 120000 sites "$(link_to src)" 40000 src "$folder")"
refused "sites/default -> /etc" \
    'sites/default is a symlink, and slipway.ini has shared = sites/def' \
    "$(raw_tree 40000 sites "$(raw_tree 120000 default \
        "$(link_to /etc)")")"
config <<EOF
shared = uploads/ sites/default/files/ conf/local.php
carry = vendor/cache/
symlinks = any
EOF
refused "any symlinks, and sites/default -> outside" \
    'sites/default is a symlink, and slipway.ini has shared' \
    "$(raw_tree 40000 sites "$(raw_tree 120000 default "$outside")")"
refused "a symlink for a shared folder" 'uploads is a symlink' \
    "$(raw_tree 120000 uploads "$outside")"
refused "one above what is carried" 'vendor is a symlink, .* carry' \
    "$(raw_tree 120000 vendor "$outside")"
refused "one for the hooks" 'deploy is a symlink, and the hooks' \
    "$(raw_tree 120000 deploy "$outside")"
refused "a file for a shared folder" 'uploads is a file.*take it out' \
    "$(raw_tree 100644 uploads "$blob")"
refused "a file above one" 'conf is a file, and slipway.ini has shared' \
    "$(raw_tree 100644 conf "$blob")"
is "nothing outside was touched" "$(ls "$T/outside")" file
push_tree "$(raw_tree 120000 abs "$outside" 100644 index.html "$blob")"
is_exit "with symlinks = any, one that leads out lands" 0
is "as it is" "$(readlink "$root/current/abs")" "$T/outside"
push_raw --force main
wait_for 10 idle
before=$(snapshot)
config <<EOF
symlinks = none
EOF
refused "symlinks = none" 'l is a symlink, and slipway.ini takes none' \
    "$(raw_tree 120000 l "$(link_to src)")"

# One commit may have several faults, and all are told.
config < /dev/null
push_tree "$(raw_tree 100644 .git "$blob" 104755 f "$blob")"
like "the first of several" "$banner" 'production: .git is not a name'
like "and the second" "$banner" 'production: f has mode 104755'

# What was found fit is not looked at again, unless the rules have changed.
known=$repo/slipway/production.vetted
ok "it is known what was fit" test -s "$known"
push_file src/c.txt c "another"
is_exit "one more file" 0
like "the known tree is the new one" "$(cat "$known")" \
    "$(git -C "$work" rev-parse 'HEAD^{tree}')"
echo torn > "$known"
push_file src/d.txt d "another"
is_exit "a torn note is no hindrance" 0
ln -s /etc/passwd "$work/out"
git -C "$work" add out
git -C "$work" commit -q -m "a link that leads out"
config <<EOF
symlinks = any
EOF
push
is_exit "any link" 0
config < /dev/null
push_file src/e.txt e "another"
isnt "what had been fit is not under other rules" "$status" 0
like "the old link is found" "$banner" 'production: out is a symlink'
git -C "$work" rm -q out
push_file src/e.txt ee "without it"
is_exit "without it all is well" 0

# Limits, counted from the heads of objects.
before=$(snapshot)
files=$(git -C "$work" ls-files | wc -l)
config <<EOF
max_files = $((files + 1))
EOF
put one "1"
commit two "2" "two more files"
push_raw
isnt "too many files" "$status" 0
like "how many there are, and may be" "$banner" \
    "the commit has $((files + 2)) files, and slipway.ini takes $((files + 1)) \(max_files\)"
git -C "$work" rm -q one
push_file three "3" "one less, one more"
isnt "still too many" "$status" 0
config <<EOF
max_file_size = 1K
EOF
head -c 1025 /dev/zero > "$work/big"
git -C "$work" add big
git -C "$work" commit -q -m "a big file"
push_raw
like "a file that is too large" "$banner" \
    'big has 1025 bytes, and slipway.ini takes 1024 \(max_file_size\)'
config <<EOF
max_size = 1K
EOF
push_raw
like "all of them together" "$banner" \
    'the commit has [0-9]+ bytes of files, and slipway.ini takes 1024'
is "nothing has changed" "$(snapshot)" "$before"
config < /dev/null
push
is_exit "without limits it lands" 0

# A Git LFS pointer that nothing resolves.
printf '%s\n' 'version https://git-lfs.github.com/spec/v1' \
    "oid sha256:$(printf '0%.0s' $(seq 64))" 'size 1' > "$work/big.psd"
git -C "$work" add big.psd
git -C "$work" commit -q -m "a pointer that nothing claims"
push
is_exit "a pointer without an attribute is a file" 0

# Attributes of the machine, in a name space where /etc can be written.
cat > "$T/apart" <<'EOF'
#!/bin/sh
mkdir "$T/over" && mount -t tmpfs tmpfs "$T/over" &&
mkdir "$T/over/upper" "$T/over/work" &&
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$T/over/upper,workdir=$T/over/work" \
    /etc && echo '*.psd filter=lfs' > /etc/gitattributes || exit 77
exec git -C "$work" push production main
EOF
chmod +x "$T/apart"
cp "$work/big.psd" "$work/other.psd"
git -C "$work" add other.psd
git -C "$work" commit -q -m "a pointer for the machine"
export T work
run unshare -m "$T/apart"
if [ "$status" -eq 77 ] || printf '%s\n' "$err" | grep -q '^unshare:'; then
	echo "# there is no name space for the attributes of the machine"
else
	isnt "a pointer that the machine speaks of" "$status" 0
	like "is tried, too" "$err" 'production: other.psd: the file is in Git'
	rmdir "$root/.slipway/trial"
fi
git -C "$work" reset -q --hard HEAD~1
before=$(snapshot)
echo '*.psd filter=lfs -text' > "$work/.gitattributes"
git -C "$work" add .gitattributes
git -C "$work" commit -q -m "now it is a pointer"
push_raw
isnt "a pointer that nothing resolves" "$status" 0
like "its path and what to do" "$banner" \
    'error: production: big.psd: the file is in Git LFS.*git lfs push'
is "nothing is left of the trial" "$(ls "$root/.slipway/trial")" ''
rmdir "$root/.slipway/trial"
is "nothing has changed" "$(snapshot)" "$before"
git -C "$repo" config filter.lfs.smudge 'cat > /dev/null; echo resolved'
export extras=yes
push_raw
is_exit "one that a driver resolves lands" 0
wait_for 10 idle
is "as a file" "$(live_file big.psd)" resolved

# An attribute file that said otherwise goes: what it spoke of is new.
git -C "$repo" config --unset-all filter.lfs.smudge
mkdir "$work/kept"
cp "$work/big.psd" "$work/kept"
echo '*.psd -filter' > "$work/kept/.gitattributes"
git -C "$work" rm -q -f big.psd
git -C "$work" add kept
git -C "$work" commit -q -m "a pointer that is to stay one"
push_raw
is_exit "a pointer in a folder that wants it so" 0
wait_for 10 idle
before=$(snapshot)
git -C "$work" rm -q kept/.gitattributes
git -C "$work" commit -q -m "and no more"
push_raw
like "without that file it is tried" "$banner" \
    'error: production: kept/big.psd: the file is in Git LFS'
is "and nothing has changed" "$(snapshot)" "$before"
git -C "$work" reset -q --hard HEAD~1

# What was fit is looked at again when it is elsewhere that files are shared.
mkdir "$work/media"
ln -s ../media/../kept "$work/kept/way"
echo x > "$work/media/x"
git -C "$work" add media kept
git -C "$work" commit -q -m "a symlink by way of media"
push_raw
is_exit "a symlink through a folder" 0
wait_for 10 idle
config <<EOF
shared = media/
EOF
commit other.html "another" "nothing but that"
push_raw
isnt "leads elsewhere when that is shared" "$status" 0
like "which is told" "$banner" 'error: production: kept/way'
config < /dev/null

# The config of the repository on the server.
is "git refuses large packs" \
    "$(git -C "$repo" config receive.maxInputSize)" 2g
git -C "$repo" config receive.maxInputSize 100m
run "$slipway" init "$repo"
is "another limit stays" \
    "$(git -C "$repo" config receive.maxInputSize)" 100m
is "and malformed objects are refused again" \
    "$(git -C "$repo" config receive.fsckObjects)" true
check_invariants "at the end"
done_testing
