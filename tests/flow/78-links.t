#!/bin/sh
# A link to shared/ that somebody removed, or put something else in the place
# of, is seen and put back; what was in its place is lost nowhere, and is on
# no branch.

. "$(dirname "$0")/../lib.sh"

drift() {
	run "$slipway" drift -C "$repo" "$@"
}

told() {
	printf '%s\n' "$out" | sed 's/  (.*//; s/  */ /'
}

edited() {
	cat "$root/.slipway/edited/$1/$2"
}

no_branch() {
	git -C "$repo" branch --list 'drift/*'
}

make_site
config <<'EOF'
shared = .env uploads/ conf/x.ini own.ini
keep = 2

[action build]
phase = build
run = rm own.ini && echo own > own.ini
EOF
built=own.ini
mkdir -p "$root/shared/conf"
echo "PASSWORD=secret" > "$root/shared/.env"
echo "k=v" > "$root/shared/conf/x.ini"
echo "shared" > "$root/shared/own.ini"
put .env "example"
put uploads/a "shipped"
commit index.html "one" "first"
push
is_exit "the site is deployed" 0
live=$root/current
one=$(current)
drift
is_exit "links are no drift, nor is what a command made of one" 0
is "which is its own" "$(live_file own.ini)" "own"

rm -r "$live/.env" "$live/uploads" "$live/conf"
drift
is_exit "links that are gone" 1
is "are told, and they alone" "$(told)" "removed .env
removed conf/x.ini
removed uploads"
drift --repair
is_exit "and put right" 0
is "the file" "$(live_file .env)" "PASSWORD=secret"
is "the one in a folder of its own" "$(live_file conf/x.ini)" "k=v"
is "the folder" "$(live_file uploads/a)" "shipped"
is "with no branch" "$(no_branch)" ""

sed -i s/secret/s3cret/ "$live/.env"
rm "$live/uploads"
mkdir "$live/uploads"
echo "photo" > "$live/uploads/photo"
drift
is "something in the place of links is told" "$(told)" "modified .env
modified uploads"
drift --json
is "and JSON has why it would be left out" \
    "$(printf '%s\n' "$out" | json 0.left_out)\
 $(printf '%s\n' "$out" | json 0.shared)" "true true"
drift --adopt
like "and is left out" "$err" ".env is left out: .* may be as secret"
is "of every branch" "$(no_branch)" ""
echo "edited" > "$live/index.html"
drift --repair
is_exit "it is put right" 0
like "and told where it is" "$err" \
    "is in $root/.slipway/edited/$one/.env now"
is "with what it was" "$(edited "$one" .env)" "PASSWORD=s3cret"
is "all of it" "$(edited "$one" uploads/photo)" "photo"
is "for nobody else to see" "$(stat -c %a "$root/.slipway/edited")" 700
is "the links are back" "$(live_file .env) $(live_file uploads/a)" \
    "PASSWORD=secret shipped"
branch=$(no_branch | tr -d ' ')
is "what else was edited is kept" \
    "$(git -C "$repo" show "$branch:index.html")" "edited"
is "and the commit's own file is as it was" \
    "$(git -C "$repo" show "$branch:.env")" "example"
drift
is_exit "nothing is left to do" 0

# A deploy goes over it, and the release that has it goes.
git -C "$repo" branch -qD "$branch"
sed -i s/secret/s4cret/ "$live/.env"
commit index.html "two" "second"
push
is_exit "a deploy over it" 0
like "tells" "$banner" "hand: .env modified; 1 of that no commit is to hold"
is "and makes no branch" "$(no_branch)" ""
push_file index.html "three" "third"
like "the release that has it is removed" "$banner" \
    "is in $root/.slipway/edited/$one/.env.1 now"
not_ok "it is" test -e "$root/releases/$one"
is "and that is not lost" "$(edited "$one" .env.1)" "PASSWORD=s4cret"

# A deploy that would not.
config <<'EOF'
drift = refuse
shared = .env uploads/ conf/x.ini own.ini
EOF
live=$root/current
rm "$live/.env"
commit index.html "four" "forth"
push_raw
like "a link that is gone refuses a deploy" "$banner" \
    ".env removed.*drift = refuse"
drift --repair
is_exit "which is put right" 0
slip retry
is_exit "and it goes on" 0

# A rollback goes to no release without its links.
old=$(ls "$root/releases" | tail -n 2 | head -n 1)
rm "$root/releases/$old/uploads"
sed -i s/secret/s5cret/ "$root/releases/$old/.env"
slip rollback
is_exit "a rollback" 0
like "puts the links of its release right" "$out$err" \
    "was put right: .env modified, uploads removed"
is "they are there" "$(live_file .env) $(live_file uploads/a)" \
    "PASSWORD=secret shipped"
is "and what was in the place of one is kept" "$(edited "$old" .env)" \
    "PASSWORD=s5cret"
done_testing
