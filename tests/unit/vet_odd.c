/*
 * Trees that no table can hold, and what is not in the trees alone.
 */
#include <stdlib.h>
#include <string.h>

#include "vet_fixture.h"

/* What no table can hold: deep, long, endless, torn. */
static void
test_large(void)
{
	struct str tree = STR_INIT;
	char commit[REPO_OID_SIZE];
	git_oid oid;

	for (size_t depth = 255; depth <= 256; depth++) {
		struct vet vet = { .repo = repo, .rules = &rules };
		const char *text = "100644 f =x\n";

		oid = write_tree(&text);
		for (size_t i = 0; i < depth; i++) {
			str_clear(&tree);
			str_add_bytes(&tree, "40000 d", 8);
			str_add_bytes(&tree, oid.id, GIT_OID_RAWSZ);
			oid = write_object(tree.s, tree.len,
			    GIT_OBJECT_TREE);
		}
		write_commit(commit, &oid);
		is_fit(&vet, commit, depth == 255 ? NULL : "more than 256"
		    " folders inside each other", "folders in folders");
		vet_release(&vet);
	}
	for (size_t len = 255; len <= 256; len++) {
		struct vet vet = { .repo = repo, .rules = &rules };
		char *name = xcalloc(1, len + 1);

		memset(name, 'n', len);
		str_clear(&tree);
		str_addf(&tree, "100644 %s =x\n", name);
		commit_text(commit, tree.s);
		is_fit(&vet, commit, len == 255 ? NULL : "(256 bytes",
		    "a long name");
		vet_release(&vet);
		free(name);
	}
	for (size_t len = 4095; len <= 4096; len++) {
		struct vet vet = { .repo = repo, .rules = &rules };
		char *target = xcalloc(1, len + 1);

		memset(target, 't', len);
		str_clear(&tree);
		str_addf(&tree, "120000 l =%s\n", target);
		commit_text(commit, tree.s);
		is_fit(&vet, commit, len == 4095 ? NULL : "(4096 bytes; 1 to"
		    " 4095", "a long target");
		vet_release(&vet);
		free(target);
	}
	str_release(&tree);
}

static void
test_bytes(void)
{
	static const struct {
		const char *what, *bytes;
		size_t len;
	} cases[] = {
		{ "an entry that is cut short", "100644 f\0short", 14 },
		{ "no name and no end", "100644 f", 8 },
		{ "no mode", " f\0" "01234567890123456789", 23 },
		{ "a mode of letters", "10064x f\0" "01234567890123456789",
		    29 },
		{ "a mode without end", "1006440 f\0" "01234567890123456789",
		    30 },
		{ "zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		    "\0\0\0\0\0", 29 },
	};
	char commit[REPO_OID_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vet vet = { .repo = repo, .rules = &rules };
		git_oid oid = write_object(cases[i].bytes, cases[i].len,
		    GIT_OBJECT_TREE);

		write_commit(commit, &oid);
		is_fit(&vet, commit, "a tree object that cannot be read",
		    cases[i].what);
		vet_release(&vet);
	}
}

/* "n" folders that are one, in that many layers, around what is given. */
static void
commit_bomb(char *commit, const char *text, int n, int layers)
{
	git_oid oid = write_tree(&text);

	for (int layer = 0; layer < layers; layer++) {
		struct str tree = STR_INIT;

		for (int i = 0; i < n; i++) {
			str_addf(&tree, "40000 %d", i);
			str_addch(&tree, '\0');
			str_add_bytes(&tree, oid.id, GIT_OID_RAWSZ);
		}
		oid = write_object(tree.s, tree.len, GIT_OBJECT_TREE);
		str_release(&tree);
	}
	write_commit(commit, &oid);
}

/* Small pushes that ask for a thousand million files, folders, bytes. */
static void
test_bombs(void)
{
	static const char files[] = "100644 f =x\n";
	struct vet_rules few = { .path_max = 3000, .max_files = 10 };
	struct vet_rules none = { .path_max = 3000, .links = VET_ANY };
	char commit[REPO_OID_SIZE], links[4200] = "120000 l =";
	const struct {
		const char *what, *text, *want;
		int n, layers;
		const struct vet_rules *rules;
	} cases[] = {
		{ "files", files, "more than 2000000 files and folders", 10,
		    10, &rules },
		{ "folders alone", "", "more than 2000000 files and folders",
		    2, 40, &rules },
		{ "files, and 10 are taken", files, "at least 11 files, and"
		    " slipway.ini takes 10 (max_files); keep some"
		    " elsewhere, or have it raised", 10, 10, &few },
		{ "symlinks", links, "more symlinks than can be followed",
		    10, 10, &rules },
		{ "symlinks that nobody follows", links, "more than 2000000"
		    " files and folders", 10, 10, &none },
	};

	memset(links + strlen(links), 't', 4095);
	strcat(links, "\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vet vet = { .repo = repo, .rules = cases[i].rules };

		commit_bomb(commit, cases[i].text, cases[i].n,
		    cases[i].layers);
		is_fit(&vet, commit, cases[i].want, cases[i].what);
		vet_release(&vet);
	}
}

/* Without an end to the work, each of these takes what a step takes. */
static void
test_ways(void)
{
	static const struct {
		const char *what, *step, *want;
		int links, files, steps;
	} cases[] = {
		{ "many long ways", "./", "symlinks that take too long to"
		    " follow", 10500, 0, 2000 },
		{ "long ways through a large folder", "d/../", NULL, 20,
		    2000, 800 },
	};
	char commit[REPO_OID_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vet vet = { .repo = repo, .rules = &rules };
		struct str text = STR_INIT, target = STR_INIT;

		for (int k = 0; k < cases[i].steps; k++)
			str_add(&target, cases[i].step);
		str_add(&text, "40000 d {\n100644 f =x\n}\n");
		for (int k = 0; k < cases[i].files; k++)
			str_addf(&text, "100644 f%06d =x\n", k);
		for (int k = 0; k < cases[i].links; k++)
			str_addf(&text, "120000 l%06d =%s\n", k, target.s);
		commit_text(commit, text.s);
		is_fit(&vet, commit, cases[i].want, cases[i].what);
		str_release(&target);
		str_release(&text);
		vet_release(&vet);
	}
}

static void
test_many_reasons(void)
{
	struct vet vet = { .repo = repo, .rules = &rules };
	struct str text = STR_INIT;
	char commit[REPO_OID_SIZE];

	for (int i = 10; i < 40; i++)
		str_addf(&text, "104755 f%d =x\n", i);
	commit_text(commit, text.s);
	is_fit(&vet, commit, "and there is more like this", "much of it");
	is_int((int64_t)vet.reasons.n, VET_REASONS_MAX + 1, "and an end");
	str_release(&text);
	vet_release(&vet);
}

static void
test_pointers(void)
{
	static const char pointer[] = "version https://git-lfs.github.com/"
	    "spec/v1 oid sha256:0123456789 size 12345678";
	struct vet vet = { .repo = repo, .rules = &rules };
	struct str text = STR_INIT;
	char commit[REPO_OID_SIZE];

	str_addf(&text, "100644 a.bin =%s\n", pointer);
	commit_text(commit, text.s);
	is_fit(&vet, commit, NULL, "a pointer without attributes");
	is_int((int64_t)vet.pointers.n, 0, "is a file");
	str_clear(&text);
	str_addf(&text, "100644 .gitattributes =*.bin filter=lfs\n"
	    "100644 a.bin =%s\n", pointer);
	commit_text(commit, text.s);
	is_fit(&vet, commit, NULL, "with an attribute, beside it");
	is_int((int64_t)vet.pointers.n, 1, "it is one, though it was there");
	is_str(vet.pointers.v == NULL ? NULL : vet.pointers.v[0], "a.bin",
	    "of that path");
	str_release(&text);
	vet_release(&vet);
}

/* A tree that was known and is gone is no reason to fail. */
static void
test_gone(void)
{
	struct vet vet = { .repo = repo, .rules = &rules, .known = {
	    .tree = "0123456789012345678901234567890123456789",
	    .files = 7 } };
	char commit[REPO_OID_SIZE];

	commit_text(commit, "100644 f =x\n");
	is_fit(&vet, commit, NULL, "without what was known");
	is_int(vet.known.files, 1, "it is counted anew");
	vet_release(&vet);
}

int
main(void)
{
	vet_begin();
	test_large();
	test_bytes();
	test_bombs();
	test_ways();
	test_many_reasons();
	test_pointers();
	test_gone();
	return vet_end();
}
