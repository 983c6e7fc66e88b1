#!/bin/sh
# Colours are for terminals, and for who asks for them; nothing else of what
# a command prints gets that far.

. "$(dirname "$0")/../lib.sh"

make_site
config <<'EOF2'
[action paint]
phase = build
run = printf '\033[32mgreen\033[0m\tplain\n\033[2J\033]0;title\007gone\n'
EOF2
esc=$(printf '\033')
has_escape() {
	printf '%s' "$1" | grep -q "$esc"
}
colours() {
	run "$@"
	has_escape "$out"
}
push_file index.html one "first"
not_ok "a push shows no escape sequence" has_escape "$err"
like "but what there was" "$banner" '[\]x1b\[32mgreen[\]x1b\[0m +plain'
git -C "$work" config color.ui always
push_file index.html two "second"
like "and leaves colours to git" "$(printf '%s' "$err" | cat -v)" \
    'remote: production: release'
unlike "whatever the command printed" "$(printf '%s' "$err" | cat -v)" \
    'remote: .*\^\[\[(32m|2J)'

not_ok "no colours where there is no terminal" colours "$slipway" log -C "$repo"
ok "--color=always has them" colours "$slipway" log -C "$repo" --color=always
like "a state is one of them" "$(printf '%s' "$out" | cat -v)" \
    '\^\[\[32mlive +\^\[\[m'
ok "before the command, too" colours "$slipway" --color always status \
    -C "$repo"
ok "as has a command's own output" colours "$slipway" show -C "$repo" \
    --color=always
like "with its colours" "$(printf '%s' "$out" | cat -v)" \
    '\^\[\[32mgreen\^\[\[0m +plain\^\[\[m'
like "and nothing but those" "$(printf '%s' "$out" | cat -v)" \
    '[\]x1b\[2J[\]x1b\]0;title[\]x07gone'
not_ok "JSON has none" colours "$slipway" log -C "$repo" --json --color=always
is "and is JSON" "$(json length < "$T/.out")" 2
not_ok "--color=never has none" colours "$slipway" log -C "$repo" \
    --color=never
ok "NO_COLOR is less than --color=always" colours env NO_COLOR=1 "$slipway" \
    log -C "$repo" --color=always
run "$slipway" log -C "$repo" --color=green
is_exit "a colour is no time to have some" 2
like "and is told so" "$err" '--color green: say auto, always or never'

# Names of others have no colours, even where there are some.
red=$(printf '\033[31m')red
plain() {
	run "$slipway" "$@" -C "$repo" --color=always
	like "$1: a name is told" "$out$err" '[\]x1b\[31mred'
	unlike "$1: without its colour" "$(printf '%s' "$out$err" | cat -v)" \
	    '\^\[\[31mred'
}
cp "$(command -v sleep)" "$T/$red"
(cd "$root/releases/$(ls "$root/releases" | head -n 1)" &&
    exec "$T/$red" 60) &
started $!
for n in three four; do
	push_file index.html "$n" "$n"
done
sed -i 's/^root = .*/&\nkeep = 1/' "$repo/slipway.ini"
plain cleanup
echo x > "$root/current/$red"
plain drift
plain status
run "$slipway" drift -C "$repo" --adopt
like "nor has a commit of them" "$(git -C "$repo" log -1 --format=%B \
    --branches='drift/*')" '^added [\]x1b\[31mred'
rm "$root/current/$red"
echo "$red = x" >> "$repo/slipway.ini"
plain doctor
sed -i '$d' "$repo/slipway.ini"

# On a terminal.
on_terminal() {
	has_escape "$(env TERM=xterm "$@" script -qec \
	    "$slipway log -C $repo" /dev/null < /dev/null)"
}
if command -v script > /dev/null; then
	ok "a terminal has them" on_terminal
	not_ok "unless NO_COLOR is set" on_terminal NO_COLOR=1
	ok "and is not empty" on_terminal NO_COLOR=
	not_ok "or it is a dumb one" on_terminal TERM=dumb
else
	pass "a terminal has them # SKIP there is no script(1)"
fi
done_testing
