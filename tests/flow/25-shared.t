#!/bin/sh
# Files and folders that outlive releases are linked in, and nothing is
# ever written through a link of the pushed tree.

. "$(dirname "$0")/../lib.sh"

make_site
config <<'EOF'
shared = sites/default/files/ sites/default/settings.php .env var/log/
EOF
push_file index.html one "first"
like "a missing file is reported" "$banner" 'sites/default/settings\.php'
like "without a host that nobody has named" "$banner" \
    'deploy 1 failed: shared files are missing: sites/default/settings'
unlike "but a folder is not" "$banner" 'missing:.*(files|log)/'
like "together with all others" "$banner" '(^|[ ,:/])\.env'
not_ok "nothing is live" test -e "$root/current"
is "the deploy has failed" "$(deploy 1 state)" failed
is "nothing was made" "$(ls "$root/releases")" ""
run "$slipway" doctor -C "$repo" --etc "$T"
like "the doctor knows it, too" "$out" \
    "^fault: $root: shared files are missing: .*settings.php .env\$"
like "and what to do" "$out" "^ *put them into $root/shared\$"

not_ok "nor in shared/" test -e "$root/shared/sites"
mkdir -p "$root/shared/sites/default/files"
ln -s "$T/unmounted" "$root/shared/var"
echo secret > "$root/shared/sites/default/settings.php"
echo KEY=1 > "$root/shared/.env"
echo upload > "$root/shared/sites/default/files/a.png"
rm "$root/shared/var"
mkdir "$root/shared/var"
ln -s "$T/unmounted" "$root/shared/var/log"
slip retry
like "a link to nothing is not taken for a folder" "$err$out" \
    'shared files are missing: var/log/;'
rm -r "$root/shared/var"
slip retry
is_exit "with all of them there it can be retried" 0
like "a folder that nobody has is made, and told" "$out" \
    'configure .*, shared/var/log/ was made'
is "like others" "$(stat -c '%a %U' "$root/shared/var/log")" \
    "755 $(stat -c %U "$root/releases")"
is "a file is linked" "$(live_file .env)" KEY=1
is "a file in a folder, too" "$(live_file sites/default/settings.php)" secret
is "and a folder" "$(live_file sites/default/files/a.png)" upload
ok "they are links" test -L "$root/current/.env"
ok "a folder is one link" test -L "$root/current/sites/default/files"
run "$slipway" drift -C "$repo"
is_exit "and nobody's edits, also in folders that no commit has" 0
ln -s "$root/shared/.env" "$root/current/sites/default/other"
run "$slipway" drift -C "$repo"
is "another link is one" "$(echo "$out" | sed 's/  (.*//')" \
    "added     sites/default/other"
rm "$root/current/sites/default/other"

push_file index.html two "second"
echo two > "$root/current/sites/default/files/b.png"
push_file index.html three "third"
is "what the application writes outlives releases" \
    "$(live_file sites/default/files/b.png)" two
is "and is in shared/" "$(cat "$root/shared/sites/default/files/b.png")" two

# A folder that the release ships seeds one that is not there.
config <<'EOF'
shared = sites/default/files/ sites/default/settings.php .env var/log/ media/
EOF
put media/logo.svg logo
put media/sub/deep.txt deep
push_file index.html four "fourth"
is "a folder is seeded" "$(cat "$root/shared/media/sub/deep.txt")" deep
is "and linked" "$(live_file media/logo.svg)" logo
like "it is told" "$banner" 'media'
echo changed > "$root/shared/media/logo.svg"
put media/logo.svg "logo two"
push_file index.html five "fifth"
is "only once" "$(live_file media/logo.svg)" changed
put .env "from the repository"
push_file index.html six "sixth"
is "what is shared wins over what is shipped" "$(live_file .env)" KEY=1

# A tree that points out of the release where a link has to go. The gate
# refuses such a push; here it is deployed from a branch that nothing deploys.
mkdir "$T/outside"
echo precious > "$T/outside/settings.php"
attack() {
	git -C "$work" checkout -q -B attack main
	git -C "$work" rm -rfq --ignore-unmatch sites media var .env
	(cd "$work" && rm -rf sites media var)
	(cd "$work" && "$@")
	git -C "$work" add -A
	git -C "$work" commit -q -m "attack"
	live=$(current)
	push_raw attack:main
	isnt "$*: the push is refused" "$status" 0
	push --force attack
	slip deploy attack
	banner=$out$err
	is "$*: nothing outside was touched" \
	    "$(cat "$T/outside/settings.php" "$root/shared/.env"
		ls "$T/outside")" \
	    "$(printf 'precious\nKEY=1\nsettings.php')"
}
a_folder() {
	mkdir sites && ln -s "$T/outside" sites/default
}
a_folder_above() {
	ln -s "$T/outside" sites
}
a_relative() {
	mkdir -p sites && ln -s ../../../../outside sites/default
}
a_file() {
	mkdir -p sites/default && ln -s "$T/outside/settings.php" \
	    sites/default/settings.php && ln -s "$T/outside" sites/default/files
}
a_seed() {
	ln -s "$T/outside" media
}
attack a_folder
is "a link in the way is refused" "$(current)" "$live"
like "with its path" "$banner" 'sites/default'
attack a_folder_above
is "one higher up, too" "$(current)" "$live"
attack a_relative
is "a relative one, too" "$(current)" "$live"
attack a_file
is "a link in the place of a link is replaced" \
    "$(live_file sites/default/settings.php)" secret
attack a_seed
is "media is the shared one" "$(live_file media/logo.svg)" changed
done_testing
