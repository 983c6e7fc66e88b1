#include "repo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repo_fixture.h"

static void
test_oids(void)
{
	ok(repo_is_oid(ABSENT_OID), "40 digits");
	ok(!repo_is_oid("123"), "too short");
	ok(!repo_is_oid(ABSENT_OID "0"), "too long");
	ok(!repo_is_oid("A234567890123456789012345678901234567890"),
	    "upper case");
	ok(!repo_is_oid(""), "empty");
	ok(repo_is_zero(REPO_ZERO_OID), "the zero name");
	ok(!repo_is_zero(ABSENT_OID), "not the zero name");
}

static void
test_names_of_refs(void)
{
	static const struct {
		const char *name;
		bool is;
	} cases[] = {
		{ "refs/heads/main", true },
		{ "refs/x", true },
		{ "refs/heads/a./b@", true },
		{ "refs/heads/\xc3\xa4;$(x)'", true },
		{ "", false },
		{ "HEAD", false },
		{ "heads/main", false },
		{ "refs/", false },
		{ "refs//x", false },
		{ "refs/heads/", false },
		{ "refs/../config", false },
		{ "refs/heads/..", false },
		{ "refs/heads/a..b", false },
		{ "refs/heads/.a", false },
		{ "refs/heads/a.", false },
		{ "refs/heads/a.lock", false },
		{ "refs/heads/a.lock/b", false },
		{ "refs/heads/a@{1}", false },
		{ "refs/heads/a b", false },
		{ "refs/heads/a\nb", false },
		{ "refs/heads/a~1", false },
		{ "refs/heads/a:b", false },
		{ "refs/heads/a\\b", false },
		{ "refs/heads/*", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ok(repo_is_ref(cases[i].name) == cases[i].is, "'%s': %s",
		    cases[i].name, cases[i].is ? "a ref" : "none");
}

static void
test_resolve(struct repo *repo)
{
	static const struct {
		const char *name, *same_as;
	} cases[] = {
		{ "main", "refs/heads/main" },
		{ "deep/er", "side" },
		{ "v1", "v1^{commit}" },
		{ "v2", "v1^{commit}" },
		{ "light", "side" },
		{ "refs/tags/v2", "v1^{commit}" },
		{ "refs/heads/main", "refs/heads/main" },
		{ "HEAD", "refs/heads/main" },
		{ "main~", "refs/heads/main~1" },
		{ "main^", "refs/heads/main~1" },
		{ "main~0", "refs/heads/main" },
		{ "main~2", "refs/heads/main~2" },
		{ "main^^", "refs/heads/main~2" },
		{ "main~1^~0", "refs/heads/main~2" },
		{ "v2~1", "refs/heads/main~2" },
	};
	char oid[REPO_OID_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *want = rev(cases[i].same_as);

		if (is_ok(repo_resolve(repo, cases[i].name, oid),
		    "'%s' is found", cases[i].name))
			is_str(oid, want, "'%s' is the right commit",
			    cases[i].name);
		free(want);
	}
}

static void
test_resolve_by_name_of_object(struct repo *repo)
{
	char *main_oid = rev("refs/heads/main"), *tag = rev("v2");
	char *commit = rev("v2^{commit}");
	char oid[REPO_OID_SIZE], name[64];

	is_ok(repo_resolve(repo, main_oid, oid), "full object name");
	is_str(oid, main_oid, "full object name is itself");
	is_ok(repo_resolve(repo, tag, oid), "object name of a tag");
	is_str(oid, commit, "the tag is peeled");
	snprintf(name, sizeof(name), "%.10s", main_oid);
	is_ok(repo_resolve(repo, name, oid), "abbreviation");
	is_str(oid, main_oid, "abbreviation is the commit");
	for (char *p = name; *p != '\0'; p++) {
		if (*p >= 'a' && *p <= 'f')
			*p = (char)(*p - 'a' + 'A');
	}
	is_ok(repo_resolve(repo, name, oid), "abbreviation in upper case");
	snprintf(name, sizeof(name), "%.10s~1", main_oid);
	is_ok(repo_resolve(repo, name, oid), "parent of an abbreviation");
	snprintf(name, sizeof(name), "%.3s", main_oid);
	is_err(repo_resolve(repo, name, oid), ERR_NOT_FOUND, "called",
	    "three digits are too few");
	free(main_oid);
	free(tag);
	free(commit);
}

static void
test_resolve_failures(struct repo *repo)
{
	static const struct {
		const char *name;
		enum err_code code;
		const char *part;
	} cases[] = {
		{ "nowhere", ERR_NOT_FOUND,
		    "tried refs/heads/nowhere, refs/tags/nowhere)" },
		{ "abcdef12", ERR_NOT_FOUND, "an abbreviated object name" },
		{ ABSENT_OID, ERR_NOT_FOUND, ABSENT_OID },
		{ TWIN_PREFIX, ERR_USAGE, "ambiguous" },
		{ TWIN_PREFIX "98f", ERR_NOT_FOUND, "is a blob" },
		{ "blob", ERR_NOT_FOUND, "blob is a blob" },
		{ "tree", ERR_NOT_FOUND, "is a tree" },
		{ "of-tree", ERR_NOT_FOUND, "no commit" },
		{ "main~3", ERR_NOT_FOUND, "beyond the first commit" },
		{ "main~99999999999999999999", ERR_NOT_FOUND, "beyond" },
		{ "main^2", ERR_USAGE, "only ~, ~N and ^" },
		{ "main^{tree}", ERR_USAGE, "only ~, ~N and ^" },
		{ "main~1x", ERR_USAGE, "only ~, ~N and ^" },
		{ "main~-1", ERR_USAGE, "only ~, ~N and ^" },
		{ "~1", ERR_NOT_FOUND, "called ''" },
		{ "", ERR_NOT_FOUND, "called ''" },
		{ "--all", ERR_NOT_FOUND, "called '--all'" },
		{ "a..b", ERR_NOT_FOUND, "called 'a..b'" },
		{ "main..side", ERR_NOT_FOUND, "called" },
		{ "@{u}", ERR_NOT_FOUND, "called" },
		{ "@{-1}", ERR_NOT_FOUND, "called" },
		{ "@", ERR_NOT_FOUND, "called" },
		{ "main@{0}", ERR_NOT_FOUND, "called" },
		{ ":/first", ERR_NOT_FOUND, "called" },
		{ "main:c", ERR_NOT_FOUND, "called" },
		{ "$(id)", ERR_NOT_FOUND, "called '$(id)'" },
		{ "../../config", ERR_NOT_FOUND, "called" },
		{ "refs/heads/../../config", ERR_NOT_FOUND, "called" },
		{ "refs/", ERR_NOT_FOUND, "called" },
		{ "config", ERR_NOT_FOUND, "called" },
		{ "%s%n", ERR_NOT_FOUND, "called '%s%n'" },
		{ "a\nb", ERR_NOT_FOUND, "called" },
	};
	char oid[REPO_OID_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(oid, "x");
		is_err(repo_resolve(repo, cases[i].name, oid),
		    cases[i].code, cases[i].part, "'%s' is refused",
		    cases[i].name[0] == 'a' && cases[i].name[1] == '\n' ?
		    "a, line end, b" : cases[i].name);
		is_str(oid, "", "nothing is given");
	}
}

static void
test_long_name(struct repo *repo)
{
	char name[3000], oid[REPO_OID_SIZE];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ok(repo_resolve(repo, name, oid) != NULL, "a very long name");
}

static void
test_ref(struct repo *repo)
{
	char *want = rev("v2^{commit}");
	char oid[REPO_OID_SIZE];

	is_ok(repo_ref(repo, "refs/tags/v2", oid), "a ref is read");
	is_str(oid, want, "it is peeled");
	is_err(repo_ref(repo, "refs/heads/no", oid), ERR_NOT_FOUND,
	    "no ref refs/heads/no", "a ref that is not there");
	is_err(repo_ref(repo, "v2", oid), ERR_NOT_FOUND, "no ref v2",
	    "a short name is no ref");
	is_err(repo_ref(repo, "refs/tags/blob", oid), ERR_NOT_FOUND,
	    "is a blob", "a ref of a blob");
	free(want);
}

static void
test_peel(struct repo *repo)
{
	static const struct {
		const char *name;
		bool is_commit;
	} cases[] = {
		{ "refs/heads/main", true },
		{ "v2", true },
		{ "blob", false },
		{ "tree", false },
		{ "of-tree", false },
	};
	char commit[REPO_OID_SIZE];
	bool is;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *oid = rev(cases[i].name);

		is_ok(repo_peel(repo, oid, commit, &is), "peel %s",
		    cases[i].name);
		is_int(is, cases[i].is_commit, "is it a commit");
		is_int(commit[0] != '\0', cases[i].is_commit,
		    "a name for a commit only");
		free(oid);
	}
	is_err(repo_peel(repo, ABSENT_OID, commit, &is), ERR_NOT_FOUND,
	    ABSENT_OID, "peel what is not there");
	is_err(repo_peel(repo, "zz", commit, &is), ERR_GIT, "zz",
	    "peel what is no object name");
}

static void
test_unborn(void)
{
	char *path = in_folder("empty.git"), oid[REPO_OID_SIZE];
	struct repo *repo;

	must("git init -q --bare \"$FOLDER/empty.git\"");
	is_ok(repo_open(&repo, path, false), "an empty repository");
	is_err(repo_resolve(repo, "HEAD", oid), ERR_NOT_FOUND,
	    "nothing was pushed", "HEAD of an empty repository");
	repo_close(repo);
	free(path);
}

int
main(void)
{
	struct repo *repo;

	fixture_init();
	repo = open_hub();
	test_oids();
	test_names_of_refs();
	test_resolve(repo);
	test_resolve_by_name_of_object(repo);
	test_resolve_failures(repo);
	test_long_name(repo);
	test_ref(repo);
	test_peel(repo);
	repo_close(repo);
	test_unborn();
	free(hub);
	return tap_done();
}
