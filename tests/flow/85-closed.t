#!/bin/sh
# What becomes of folders of a release that whoever deploys may not read or
# does not own, or that commands gave a mode of their own.

. "$(dirname "$0")/../lib.sh"
. "$here/nobody.sh"

uid=$(id -u nobody)

look() {
	stat -c %A "$root/current/$1"
}

make_site
config <<'EOF'
[action close]
phase = build
run = mkdir made && chmod 0 made && chmod 0 closed && chmod 2775 group group/in
EOF
put closed/below/file x
put open/file x
put group/file x
put group/in/file x
chmod 711 "$T"
chown -R nobody "$repo" "$root" "$work"
push_as_nobody one
is_exit "a release with folders that nobody may read" 0
one=$(current)
drift
is_exit "is what was deployed" 0
push_as_nobody two
unlike "the next deploy tells of no edit" "$err" 'by hand'
rollback
is_exit "a rollback to it" 0
is "is one" "$(current)" "$one"
unlike "with nothing to put right" "$out$err" 'put right'
is "they are as they were" "$(look made) $(look closed) $(look group)" \
    "d--------- d--------- drwxrwsr-x"

# By hand.
for mode in 000 311 444; do
	echo edited > "$root/current/index.html"
	chmod "$mode" "$root/current/open"
	drift
	is_exit "one that somebody closed: $mode" 1
	is "is told, and the others" "$(printf '%s\n' "$out" |
	    sed 's/, since.*//; s/  (since.*//; s/  */ /g')" \
	    "modified index.html
mode open/ (${mode#00} instead of 755"
	like "with the reason why it is on no branch" "$err" \
	    "^slipway: open/ is left out: no commit can hold its mode"
	drift --repair
	is_exit "and put right with them" 0
	is "the folder" "$(look open)" "drwxr-xr-x"
	is "and the file" "$(live_file index.html)" one
done

# The bit for which new files get the group of their folder.
chmod g-s "$root/current/group"
drift
is_exit "a setgid bit that is gone" 1
like "is told" "$out" '^mode +group/ +\(775 instead of 2775, since'
drift --repair
is "and put right" "$(look group)" "drwxrwsr-x"
rm -r "$root/current/group"
drift --repair
is_exit "so it is at once where the folder is gone" 0
is "with all of its mode" "$(look group)" "drwxrwsr-x"

# Root's chmod would go through a link, which others can put into a folder
# that they may write.
for folder in group group/in; do
	chgrp root "$root/current/$folder"
	chmod g-s "$root/current/$folder"
done
drift --repair
is "root is told of a mode where nobody else may write" "$(printf '%s\n' \
    "$err" | sed -n 's/.*; run: //p')" \
    "sudo chmod 2775 $root/releases/$(current)/group"
chgrp nogroup "$root/current/group" "$root/current/group/in"
drift --repair
is "all have their bits" "$(look group) $(look group/in)" \
    "drwxrwsr-x drwxrwsr-x"

# Somebody else's.
stays() {
	printf '%s\n' "$err" | sed -n 's/^slipway: \(mode .*\) stays$/\1/p'
}
# Without the sudo, as it was told.
run_told() {
	printf '%s\n' "$out" "$err" |
	    sed -n 's/.*; run: //; s/sudo //gp' > "$T/told"
	run sh -e "$T/told"
}
chown -R root "$root/current/open"
chmod 700 "$root/current/open"
echo edited > "$root/current/index.html"
drift --repair
is_exit "a folder that is somebody else's is not put right" 1
is "which is told" "$(stays)" "mode open/"
is "the rest is" "$(live_file index.html)" one
run_told
is_exit "what is told for root to run" 0
drift
is "gives the folder back" "$(printf '%s\n' "$out" |
    sed -n 's/^mode  *\([^ ]*\) .*/\1/p' | paste -s -d ' ' -)" \
    "open/ open/file"
drift --repair
is_exit "so that the rest can be put right" 0
is "as it was" "$(find "$root/current/" ! -user nobody)$(look open)" \
    "drwxr-xr-x"

push_as_nobody three
chown -R root "$root/releases/$one/open"
echo edited > "$root/releases/$one/index.html"
rollback
is_exit "a rollback to a release with such a folder" 0
is "is one" "$(current)" "$one"
like "says what it put right" "$out$err" \
    'put right: index.html modified; kept on branch'
is "and what root is to run" "$(printf '%s\n' "$out$err" |
    sed -n 's/^warning: .*run: //p')" \
    "sudo chown -h $uid $root/releases/$one/open"
run_told
drift --repair
drift
is_exit "then it is what was deployed" 0
push_as_nobody four
chown root "$root/releases/$one/open"
chmod 700 "$root/releases/$one/open"
as_nobody "$slipway" rollback -C "$repo" "$one"
isnt "one that hides what is in it is not gone back to" "$status" 0
like "which is told" "$out$err" 'cannot be put right: open/; deploy its'

# One that commands made hides what is in it as well.
sed -i 's/^run = mkdir made.*/run = mkdir vendor \&\& echo y > vendor\/top/' \
    "$repo/slipway.ini"
push_as_nobody five
five=$(current)
is "a command made a folder" "$(live_file vendor/top)" y
push_as_nobody six
chmod 0 "$root/releases/$five/vendor"
as_nobody "$slipway" rollback -C "$repo" "$five"
isnt "a release where it is closed is not gone back to" "$status" 0
like "which is told, too" "$out$err" 'cannot be put right: vendor/'

done_testing
