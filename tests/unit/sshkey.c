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
/* What ssh-keygen -s -I 'bob the builder' makes of such a key. */
#define CERT_TYPE "ecdsa-sha2-nistp256-cert-v01@openssh.com"
#define CERT \
    "AAAAKGVjZHNhLXNoYTItbmlzdHAyNTYtY2VydC12MDFAb3BlbnNzaC5j" \
    "b20AAAAgd5N2Z4F6m95zl3NnhiFN/pUfeeovouEcWnz6prqc1E0AAAAI" \
    "bmlzdHAyNTYAAABBBELVAFEzJ7vbaX2bv2KpsG9LAw1T8tb2V7yMipDs" \
    "xLpabkhC1IcmggAxFYeT+4lTnVpgE3GWYXErTDKhA+KaSMgAAAAAAAAA" \
    "AAAAAAEAAAAPYm9iIHRoZSBidWlsZGVyAAAACAAAAARyb290AAAAAAAA" \
    "AAD//////////wAAAAAAAACCAAAAFXBlcm1pdC1YMTEtZm9yd2FyZGlu" \
    "ZwAAAAAAAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAAAAAAAAFnBl" \
    "cm1pdC1wb3J0LWZvcndhcmRpbmcAAAAAAAAACnBlcm1pdC1wdHkAAAAA" \
    "AAAADnBlcm1pdC11c2VyLXJjAAAAAAAAAAAAAAAzAAAAC3NzaC1lZDI1" \
    "NTE5AAAAIOxc2bp1HYSU25Ys52CdhEbguFguhUjc4suS479SaF6mAAAA" \
    "UwAAAAtzc2gtZWQyNTUxOQAAAEAAuxVCKvKWwfsLo17YsaD5zVqeVvqT" \
    "G3Lx9JevUBQ3sAr4bvFcFJBVs8slGwrPxnoUE1KAt1lTB5S6IaLosWwA"
#define CERT_PRINT "SHA256:5d4uaH6b32q10RWbD7+ijbJxKIw/vJTHmKrxBd4an5g"
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
	{ "a line that is commented out", ED_AUTH,
	    " # ssh-ed25519 " ED " bob\nssh-ed25519 " ED " alice\n",
	    "alice" },
	{ "another one", ED_AUTH, "#ssh-ed25519 " ED " bob\n", ED_PRINT },
	{ "words of an option", ED_AUTH,
	    "command=\"x ssh-ed25519 " ED " bob\" ssh-ed25519 " EC " eve\n"
	    "ssh-ed25519 " ED " alice\n", "alice" },
	{ "with quotes in it", ED_AUTH,
	    "command=\"x \\\" ssh-ed25519 " ED " bob\" ssh-ed25519 " EC
	    " eve\n", ED_PRINT },
	{ "a quote that does not end", ED_AUTH, "command=\"x ssh-ed25519 " ED
	    " bob\nssh-ed25519 " ED " alice\n", "alice" },
	{ "words of a comment", ED_AUTH,
	    "ssh-ed25519 " EC " for ssh-ed25519 " ED " bob\n", ED_PRINT },
	{ "a key without its type", ED_AUTH, ED " bob\n", ED_PRINT },
	{ "a comment that is another's key", ED_AUTH,
	    "ssh-ed25519 " EC " " ED " bob\nssh-ed25519 " ED " alice\n",
	    "alice" },
	{ "and nothing else", ED_AUTH, "ssh-ed25519 " EC " " ED " bob\n",
	    ED_PRINT },
	{ "behind options", ED_AUTH, "command=\"a b\",restrict\tssh-ed25519 "
	    EC " " ED " bob\n", ED_PRINT },
	{ "options and a key of no type", ED_AUTH,
	    "restrict pty " ED " bob\n", ED_PRINT },
	{ "a security key", "publickey sk-ssh-ed25519@openssh.com " ED "\n",
	    "sk-ssh-ed25519@openssh.com " ED " alice\n", "alice" },
	{ "a curve", "publickey ecdsa-sha2-nistp256 " EC "\n",
	    "restrict ecdsa-sha2-nistp256 " EC " eve\n", "eve" },
};

static void
test_cert(void)
{
	static const char auth[] = "publickey " CERT_TYPE " " CERT "\n";
	char *name = sshkey_name(auth, "cert-authority ssh-ed25519 AAAA\n");
	char *print = sshkey_fingerprint(auth);

	is_str(name, "bob the builder", "a certificate has the name in it");
	is_str(print, CERT_PRINT, "and the fingerprint of its key");
	free(name);
	free(print);
	name = sshkey_name(auth, "cert-authority " CERT_TYPE " " CERT " x\n");
	is_str(name, "x", "unless its line has one");
	free(name);
}

/* Cut anywhere, it is some key, or none, and no more is read than is there. */
static void
test_cut(void)
{
	static const char cert[] = CERT;
	size_t n_names = 0;

	for (size_t len = 1; len < sizeof(cert); len++) {
		struct str auth = STR_INIT;
		char *name;

		str_addf(&auth, "publickey t %.*s\n", (int)len, cert);
		name = sshkey_name(auth.s, "");
		n_names += name != NULL;
		free(name);
		str_release(&auth);
	}
	is_int((int64_t)n_names, (int64_t)sizeof(cert) - 1,
	    "each has some name");
}

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
	test_cert();
	test_cut();
	return tap_done();
}
