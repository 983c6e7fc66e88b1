#include "deploy/sshkey.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define ED "AAAAC3NzaC1lZDI1NTE5AAAAIK5Z3tdAI3h7K0UM" \
    "6WCUW1k3EoXWFpEiBu0NvRqTqyzC"
#define ED_PRINT "SHA256:ukjuctcgQjNNtFQhgsYY4R3O8AjwREHXVWw1gOgkQ4M"
#define EC "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBLEgkgJ5" \
    "zAkenhI6FBnlO7a29BiDuDRKeJCebve+fbCdlBt0rhX+6AvyLrQ4dedeetVN" \
    "phaS1xZFIldipsPXfx4="
#define EC_PRINT "SHA256:l+a+N6bT/SU7jIqWL/e4cofisJjhmpkskSipIy6mEeg"
#define ED_AUTH "publickey ssh-ed25519 " ED "\n"

static const struct {
	const char *what, *auth, *authorized, *want;
} cases[] = {
	{ "no key", "", "", NULL },
	{ "another method", "password\n", "", NULL },
	{ "half a line", "publickey ssh-ed25519\n", "", NULL },
	{ "a fingerprint", ED_AUTH, "", ED_PRINT },
	{ "one with padding", "publickey ecdsa-sha2-nistp256 " EC "\n", "",
	    EC_PRINT },
	{ "after another method", "password\n" ED_AUTH, "", ED_PRINT },
	{ "a comment", ED_AUTH, "ssh-ed25519 " ED " alice@laptop\n",
	    "alice@laptop" },
	{ "of words, behind options", ED_AUTH,
	    "# keys\nrestrict,command=\"x y\" ssh-ed25519 " ED
	    "\tAlice A. \r\nssh-ed25519 AAAA bob\n", "Alice A." },
	{ "no comment", ED_AUTH, "ssh-ed25519 " ED "\n", ED_PRINT },
	{ "spaces for a comment", ED_AUTH, "ssh-ed25519 " ED "  \n",
	    ED_PRINT },
	{ "the second line has one", ED_AUTH,
	    "ssh-ed25519 " ED "\nssh-ed25519 " ED " a\n", "a" },
	{ "a longer key", ED_AUTH, "ssh-ed25519 " ED "A bob\n", ED_PRINT },
	{ "somebody else's", ED_AUTH, "ssh-ed25519 " EC " bob\n", ED_PRINT },
	{ "a key without its type", ED_AUTH, ED " bob\n", ED_PRINT },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *name = sshkey_name(cases[i].auth, cases[i].authorized);

		is_str(name, cases[i].want, "%s", cases[i].what);
		free(name);
		name = sshkey_fingerprint(cases[i].auth);
		is_str(name, cases[i].want == NULL ? NULL :
		    strstr(cases[i].auth, EC) != NULL ? EC_PRINT : ED_PRINT,
		    "%s: its fingerprint", cases[i].what);
		free(name);
	}
	return tap_done();
}
