#!/bin/sh
# What is odd, and right all the same: other words for one value, a path with
# a space in it, a root of an older version; and slips that are told as such.

. "$(dirname "$0")/../lib.sh"

# A machine whose packages are up to date, and whose web server says nothing.
mkdir -p "$T/bin" "$T/etc"
printf '#!/bin/sh\nexit 1\n' > "$T/bin/apt-cache"
chmod +x "$T/bin/apt-cache"
export PATH="$T/bin:$PATH"
git config --global --unset gc.auto
make_site
push_file index.html one "first page"

examine() {
	run "$slipway" doctor -C "$repo" --etc "$T/etc"
}

# fsync VALUE: core.fsync, with what doctor says and init does about it.
fsync() {
	git -C "$repo" config core.fsync "$1"
	examine
	run "$slipway" init "$repo"
}

# git's own words for one thing.
git -C "$repo" config receive.fsckObjects yes
git -C "$repo" config receive.advertisePushOptions 1
printf '[core]\n\tlogAllRefUpdates\n' >> "$repo/config"
examine
unlike "true has many names" "$out" \
    'fsckObjects|advertisePushOptions|logAllRefUpdates'
run "$slipway" init "$repo"
unlike "and they stay" "$out" '^set '
git -C "$repo" config receive.fsckObjects perhaps
examine
like "what is no boolean is not true" "$out" 'receive.fsckObjects is true'
run "$slipway" init "$repo"
like "and is set" "$out" '^set receive.fsckObjects = true'
for value in added,reference all "reference, committed" \
    "loose-object,pack,reference"; do
	fsync "$value"
	is "core.fsync = $value is enough" \
	    "$(git -C "$repo" config core.fsync)" "$value"
done
for value in committed none,committed,reference \
    -derived-metadata,committed,reference reference,nonsense; do
	fsync "$value"
	is "core.fsync = $value is not" \
	    "$(git -C "$repo" config core.fsync)" committed,reference
done

# A name that only begins like one of ours.
push_raw main:refs/notes/deploys-team
is_exit "refs/notes/deploys-team is anybody's" 0
for ref in refs/notes/deploys refs/notes/deploys/x refs/live/other \
    refs/slipway/x; do
	push_raw "+main:$ref"
	is_exit "$ref is not" 1
done

# Options that are none, or have none.
run "$slipway" log -zn 5
is_exit "an unknown letter" 2
like "is named" "$err" "unknown option '-z'; see slipway log --help"
run "$slipway" deploy -d
like "so is one without its value" "$err" '[-]d needs a value'
run "$slipway" log --bogus
like "and a word" "$err" "unknown option '--bogus'"

# More threads than a host takes.
for threads in 32768 40000; do
	printf 'threads = %d\n' "$threads" | config
	run "$slipway" config -C "$repo"
	is_exit "threads = $threads" 2
	like "is refused where it stands" "$err" \
	    'threads.* not a whole number from 0 to 32767'
done
printf 'threads = 32767\n' | config
push_file index.html two "second page"
is "fewer deploy" "$(live_file index.html)" two
config < /dev/null

# A root that an older version made.
rm -r "$root/.slipway/spare"
run "$slipway" plan -C "$repo"
is_exit "a root without its newest folders: plan" 0
examine
unlike "doctor finds nothing wrong with it" "$out$err" 'descriptor'
push_file index.html three "third page"
is "and the deploy makes them" "$(live_file index.html)" three

# What is to be pasted.
run "$slipway" init "$T/my shop.git" --root "$T/my root"
repo="$T/my shop.git"
git -C "$work" push -q "$repo" main > /dev/null 2>&1
chmod o+w "$T/my root/shared"
git -C "$repo" config core.sharedRepository group
git -C "$repo" config core.worktree /x
git -C "$repo" update-ref -d refs/live/production
: > "$repo/refs/heads/old.lock"
touch -d '1 hour ago' "$repo/refs/heads/old.lock"
mkdir "$repo/objects/tmp_objdir-x"
touch -d '2 days ago' "$repo/objects/tmp_objdir-x"
examine
for remedy in "chmod o-w '$T/my root/shared'" \
    "git -C '$repo' config --unset-all core.sharedRepository" \
    "git -C '$repo' config --unset-all core.worktree" \
    "rm '$repo/refs/heads/old.lock', when" \
    "rm -rf '$repo/objects/tmp_objdir-x'" \
    "slipway resume -C '$repo'"; do
	like "is quoted: $remedy" "$out" "$remedy"
done
rm -r "$T/my root/shared"
examine
like "that of a folder that is gone, too" "$out" "slipway init '$repo'"

# What a terminal must not get is in a remedy all the same.
repo=$(printf '%s/a\n\033[1m%%d\\ !it'\''s\377.git' "$T")
run "$slipway" init "$repo" --root "$T/unseen"
is_exit "a path with control characters" 0
rm "$repo/hooks/post-update"
examine
remedy=$(printf '%s\n' "$out" | sed -n 's/^ *\(slipway init .*\)/\1/p')
for shell in sh dash bash zsh; do
	command -v "$shell" > /dev/null || continue
	rm -f "$repo/hooks/post-update"
	"$shell" -c "$remedy" > /dev/null
	ok "its remedy works in $shell" test -L "$repo/hooks/post-update"
done
done_testing
