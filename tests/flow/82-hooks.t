#!/bin/sh
# Hooks that are somebody else's are kept, and those that others use, too,
# are told of.

. "$(dirname "$0")/../lib.sh"
make_site
push_file index.html one "first"

# A link that leads nowhere just now may be to a disk that is not mounted.
old=$T/old.git
git init -q --bare "$old"
ln -s "$T/disk/post-receive" "$old/hooks/post-receive"
ln -s ../elsewhere/post-update "$old/hooks/post-update"
run "$slipway" init "$old" --root "$T/old"
is_exit "init beside links that lead nowhere" 0
like "keeps the one" "$out" '^kept the post-receive hook'
like "and the other" "$out" '^kept the post-update hook'
run "$slipway" uninit "$old"
is "uninit brings the one back" "$(readlink "$old/hooks/post-receive")" \
    "$T/disk/post-receive"
is "and the other" "$(readlink "$old/hooks/post-update")" \
    ../elsewhere/post-update

# A relative link begins at its folder, wherever the command is run.
ln -sfr "$build/bin/post-receive" "$old/hooks/post-receive"
ln -sf ../libexec/slipway/post-update "$old/hooks/post-update"
run "$slipway" init "$old"
unlike "relative links to ours are ours" "$out" '^kept'
run "$slipway" uninit "$old"
not_ok "and are taken out" test -L "$old/hooks/post-receive"

# hooks/ is a link to a folder that two repositories have.
mkdir "$T/hooks"
for name in a b; do
	git init -q --bare "$T/$name.git"
	rm -r "$T/$name.git/hooks"
	ln -s "$T/hooks" "$T/$name.git/hooks"
	run "$slipway" init "$T/$name.git" --root "$T/$name"
	is_exit "init of $name" 0
	like "tells where its hooks are" "$out" \
	    "^note: the hooks are in $T/hooks, which other repositories may use"
done
run "$slipway" doctor -C "$T/a.git" --etc "$T/etc"
like "so does the doctor" "$out" \
    "^note: $T/hooks: the hooks are there, and other repositories may"
run "$slipway" uninit "$T/b.git"
is "uninit takes the hooks out for both" "$(ls "$T/hooks")" ""
like "and says so" "$out" \
    "^note: the hooks were in $T/hooks, and other .* not deploy any more"
remedy=$(printf '%s\n' "$out" | sed -n 's/.*this one not: \(.*\), and then.*/\1/p')
ok "what it says can be typed" sh -c "$remedy"
run "$slipway" init "$T/a.git"
git -C "$work" push -q "$T/a.git" HEAD:main > "$T/.push" 2>&1
is "the other one deploys again" "$(cat "$T/a/current/index.html")" one
git -C "$work" push -q "$T/b.git" HEAD:main > "$T/.push" 2>&1
not_ok "and this one does not" test -e "$T/b/current"

# A folder in the repository by another name is its own.
ln -s "$old" "$T/alias.git"
git -C "$old" config core.hooksPath "$T/alias.git/hooks"
run "$slipway" init "$old"
unlike "a link to the repository itself is no other folder" "$out" '^note: the'
git -C "$old" config --unset core.hooksPath

# What an init refuses to touch, the doctor does not leave to an init.
examine() {
	run "$slipway" doctor -C "$repo" --etc "$T/etc"
}
printf '#!/bin/sh\n' > "$T/foreign"
chmod +x "$T/foreign"
cp --remove-destination "$T/foreign" "$repo/hooks/proc-receive"
examine
like "another proc-receive" "$out" \
    "^fault: $repo/hooks/proc-receive: .*init leaves this one as it is"
like "is to be removed first" "$out" \
    "^    remove $repo/hooks/proc-receive, then slipway init $repo\$"
rm "$repo/hooks/proc-receive"
ok "which is enough" "$slipway" init "$repo"
aside=$repo/hooks/pre-receive.before-slipway
for gone in "$repo/hooks/pre-receive" "$aside"; do
	cp --remove-destination "$T/foreign" "$repo/hooks/pre-receive"
	cp "$T/foreign" "$aside"
	examine
	like "another hook beside one that was kept" "$out" \
	    "^    remove $repo/hooks/pre-receive or $aside, then slipway init"
	rm "$gone"
	ok "$(basename "$gone") is gone: init" "$slipway" init "$repo"
	examine
	unlike "that was enough" "$out" '^fault'
done

# Configs of git alone.
slip status
unlike "status has nothing to say" "$out" 'hooks'
git -C "$repo" config core.repositoryformatversion 1
git -C "$repo" config extensions.worktreeConfig true
git -C "$repo" config --worktree core.hooksPath "$T/other"
slip status
like "of hooks that git does not run it has" "$out" \
    "^ *hooks .*pre-receive.* in $T/other: missing"
git -C "$repo" config --worktree --unset core.hooksPath
rm "$repo/config.worktree"
git config --file "$T/global" core.hooksPath "$T/other"
run env GIT_CONFIG_GLOBAL="$T/global" "$slipway" status -C "$repo"
like "so it has where another config says so" "$out" \
    "^ *hooks .*pre-receive.* in $T/other: missing"

check_invariants "after all of that"
done_testing
