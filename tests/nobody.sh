# nobody.sh - a site whose deploy user is nobody: what root, who runs the
# tests, does in it is done by somebody else. Tests source it behind lib.sh.

[ "$(id -u)" -eq 0 ] || skip_all "only root can be somebody else"

as_nobody() {
	run setpriv --reuid nobody --regid nogroup --clear-groups "$@"
}

drift() {
	as_nobody "$slipway" drift -C "$repo" "$@"
}

rollback() {
	as_nobody "$slipway" rollback -C "$repo"
}

# push_as_nobody CONTENT: of the page.
push_as_nobody() {
	# shellcheck disable=SC2016 # the arguments are the inner shell's
	as_nobody sh -c 'cd "$1" && echo "$2" > index.html && git add -A &&
	    git commit -q -m "$2" && git push production main' - "$work" "$1"
}
