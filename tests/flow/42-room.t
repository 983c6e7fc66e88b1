#!/bin/sh
# A file system that has no room, or no inodes, for a release: nothing is
# begun, and when there is room the same commit is deployed again.

if [ "${SLIPWAY_ROOM_MOUNTS-}" != yes ]; then
	if ! unshare -m true 2> /dev/null; then
		echo "1..0 # SKIP no mount namespace is to be had here"
		exit 0
	fi
	SLIPWAY_ROOM_MOUNTS=yes exec unshare -m "$0" "$@"
fi

. "$(dirname "$0")/../lib.sh"

# disk FOLDER OPTIONS: a small file system of its own.
disk() {
	mkdir -p "$1"
	mount -t tmpfs -o "$2" tmpfs "$1"
}

resize() {
	mount -o "remount,$2" "$1"
}

# It is ended before the folder goes: a busy mount would keep it.
disk "$T/srv" size=4m,nr_inodes=400 ||
    skip_all "no file system can be mounted here"
trap 'umount -l "$T/srv" "$T/hub" 2>/dev/null; _end' EXIT
make_site
config <<EOF
keep = 2
EOF
push_file index.html one "first"
one=$(current)

# Bytes.
head -c 4000000 /dev/urandom > "$work/big"
git -C "$work" add big
before=$(find "$root" | sort)
push_file version two "four megabytes"
like "a release that does not fit is told before it is begun" "$banner" \
    "checkout: no room in $root on local: the release needs 5[.][0-9] MB"
like "with what to do" "$banner" 'remove releases \(slipway cleanup'
unlike "no phase was begun" "$banner" 'fetch +[0-9]'
is "it failed" "$(newest state)" failed
is "the old release is live" "$(current)" "$one"
is "nothing was written" "$(find "$root" | sort)" "$before"
slip plan
is_exit "a plan of it says so, too" 3
like "with figures" "$out" "room: it needs 5[.].* are free: too little"
like "and a word" "$err" "this would be refused: no room in $root: "
slip retry
is_exit "once more" 1
like "is the same" "$(newest error)" 'checkout: no room in .* inodes are free'
resize "$root" size=16m
slip retry
is_exit "with more room, slipway retry" 0
is "has it live" "$(live_file version)" two

# A file that is the same takes no room; one that is another does.
resize "$root" size=6m
push_file version three "the big file again"
is "what does not change is not measured" "$(live_file version)" three
head -c 9000000 /dev/urandom > "$work/big"
git -C "$work" add big
commit version four "a larger one"
resize "$root" size=12m
push
like "what does not fit beside it is" "$banner" 'no room in'
is "the one before is live" "$(live_file version)" three
git -C "$work" rm -q big
push_file version five "without it"
is "without the big file it fits" "$(live_file version)" five

# Inodes.
mkdir "$work/many"
for i in $(seq 1 400); do
	echo "$i" > "$work/many/$i"
done
git -C "$work" add many
push_file version six "many files"
like "a release of too many files" "$banner" \
    "no room in $root on local: .* and 4[0-9]* inodes, .* inodes are free"
is "does not go live" "$(live_file version)" five
resize "$root" nr_inodes=2000
slip retry
is_exit "with more inodes" 0
is "it does" "$(live_file version)" six
resize "$root" nr_inodes=0
push_file version seven "no limit"
is "no limit is no lack" "$(live_file version)" seven

# It fills up in the middle.
config <<EOF
keep = 2
[action fill]
phase = build
directive = fill
run = cp $T/zeros filler
EOF
head -c 30000000 /dev/zero > "$T/zeros"
resize "$root" size=12m
push_file version nine "nine -fill-"
like "a full disk in the middle" "$(newest error)" 'build \(fill\): exit 1'
is "leaves the old one live" "$(live_file version)" seven
rm "$T/zeros"
touch "$T/zeros"
built=filler
slip retry
is_exit "retry" 0
like "makes room" "$out" 'what failed deploys had left, .* were removed'
is "is live" "$(live_file version)" nine

mkdir -p "$root/.slipway/trash/killed"
free=$(($(stat -f -c '%a * %S' "$root")))
head -c $((free - 200000)) /dev/zero > "$root/.slipway/trash/killed/zeros"
slip deploy
is_exit "room that a removal which was killed still takes is given back" 0

# What is not exported takes no room.
config <<EOF
export = yes
EOF
built=
head -c 20000000 /dev/urandom > "$work/draft"
echo "draft export-ignore" > "$work/.gitattributes"
git -C "$work" add .
export_ignore=yes push_file version ten "not all of it is wanted"
is "what is not exported takes no room" "$(live_file version)" ten

# The repository's own file system.
site=$T/site
disk "$T/hub" size=12m,nr_inodes=300
"$slipway" init "$T/hub/shop.git" --root "$site" > "$T/init" 2>&1 ||
    diag "$(cat "$T/init")"
repo=$T/hub/shop.git
root=$site
_sites="production:$site"
work=$T/small
git init -q "$work"
git -C "$work" remote add production "$repo"
push_file version one "one"
is "a repository on a disk of its own" "$(live_file version)" one
free=$(($(stat -f -c '%a * %S' "$T/hub")))
head -c $((free - 600000)) /dev/zero > "$T/hub/more"
commit version two "two"
push_raw main
isnt "with little left there, a push is refused" "$status" 0
like "in words" "$banner" "no room in $repo: the journal and the logs need"
is "the ref has not moved" "$(git -C "$repo" rev-parse main)" \
    "$(head_of HEAD~1)"
run "$slipway" deploy -C "$repo"
is_exit "nor is a deploy begun" 3
like "it says the same" "$err" \
    "no room in $repo: the journal and the logs need"
rm "$T/hub/more"
push main
is "with room, the same push deploys" "$(live_file version)" two
done_testing
