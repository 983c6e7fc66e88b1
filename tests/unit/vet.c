/*
 * Trees looked at as a whole, and beside a known one.
 */
#include <stdlib.h>
#include <string.h>

#include "vet_fixture.h"

static const struct {
	const char *what, *tree, *want;		/* NULL: it is fit */
} trees[] = {
	{ "nothing", "", NULL },
	{ "files", "100644 a =x\n100755 b =y\n100664 c =z\n", NULL },
	{ "folders", "40000 d {\n100644 f =x\n}\n100644 d.x =y\n", "order" },
	{ "in order", "100644 d.x =y\n40000 d {\n100644 f =x\n}\n", NULL },
	{ "setuid", "104755 f =x\n", "f has mode 104755 in the tree, and" },
	{ "setgid", "102755 f =x\n", "mode 102755" },
	{ "sticky", "101644 f =x\n", "mode 101644" },
	{ "mode 0", "100000 f =x\n", "mode 100000" },
	{ "group", "100775 f =x\n", "mode 100775" },
	{ "world", "100777 f =x\n", "mode 100777" },
	{ "a socket", "140000 f =x\n", "mode 140000" },
	{ "a device", "60000 f =x\n", "mode 60000" },
	{ "a pipe", "10000 f =x\n", "mode 10000" },
	{ "a folder's mode", "40755 d {\n100644 f =x\n}\n", "mode 40755" },
	{ "a submodule", "160000 lib =x\n", "lib is a submodule (commit" },
	{ ".git", "100644 .git =x\n", ".git is not a name" },
	{ ".GIT", "40000 .GIT {\n100644 f =x\n}\n", ".GIT is not a name" },
	{ ".gIt", "100644 .gIt =x\n", "is not a name" },
	{ "git~1", "100644 git~1 =x\n", "is not a name" },
	{ "GIT~1", "100644 GIT~1 =x\n", "is not a name" },
	{ ".git.", "100644 .git. =x\n", "is not a name" },
	{ ".git...", "100644 .git... =x\n", "is not a name" },
	{ ".git with a stream", "100644 .git::$INDEX_ALLOCATION =x\n",
	    "is not a name" },
	{ ".git for HFS", "100644 .g\xe2\x80\x8cit =x\n", "is not a name" },
	{ ".git with a mark", "100644 \xef\xbb\xbf.git =x\n",
	    "is not a name" },
	{ "deeper", "40000 a {\n40000 b {\n100644 .git =x\n}\n}\n",
	    "a/b/.git is not a name" },
	{ "..", "40000 .. {\n100644 f =x\n}\n", ".. is not a name" },
	{ ".", "100644 . =x\n", ". is not a name" },
	{ "no name", "100644  =x\n", "has no name" },
	{ "a path", "100644 a/b =x\n", "a/b is not a name" },
	{ "an absolute one", "100644 /etc/passwd =x\n", "is not a name" },
	{ "a way out", "100644 ../x =x\n", "is not a name" },
	{ "a control character", "100644 a\x01" "b =x\n",
	    "a\\x01b has a control character" },
	{ "escape", "100644 \x1b[31m =x\n", "has a control character" },
	{ "delete", "100644 a\x7f =x\n", "has a control character" },
	{ "a backslash", "100644 a\\b =x\n", NULL },
	{ "a dash, and UTF-8", "100644 -x =x\n100644 \xc3\xa4 =x\n", NULL },
	{ ".gitignore", "100644 .gitignore =x\n100644 .gitmodules =x\n",
	    NULL },
	{ "twice", "100644 f =x\n100755 f =y\n", "f is there twice" },
	{ "a file and a folder", "100644 d =x\n100644 d.x =y\n"
	    "40000 d {\n100644 f =x\n}\n", "d is there twice" },
	{ "the same, further apart", "100644 d =x\n100644 d! =y\n"
	    "100644 d!! =y\n100644 d-x =y\n40000 d {\n100644 f =x\n}\n",
	    "d is there twice" },
	{ "a link and a folder", "120000 d =x\n40000 d {\n100644 f =x\n}\n",
	    "d is there twice" },
	{ "names that begin alike", "100644 d =x\n100644 d! =y\n"
	    "40000 d! {\n100644 f =x\n}\n", "d! is there twice" },
	{ "and are none", "100644 d =x\n100644 dd =x\n40000 ddd {\n}\n",
	    NULL },
	{ "out of order", "100644 b =x\n100644 a =x\n", "a is not in git" },
	{ "a folder that is a blob", "40000 d =text\n", "d: a tree object" },
	{ "a file that is a tree", "100644 d {\n100644 f =x\n}\n",
	    "d is a file in the tree, and its object is none" },
	{ "a link that is a tree", "120000 d {\n100644 f =x\n}\n",
	    "d is a file in the tree" },
	/* Attributes that end git. */
	{ "an encoding", "100644 .gitattributes =*.txt"
	    " working-tree-encoding=UTF-16\n", NULL },
	{ "an encoding that is none", "100644 .gitattributes =*.txt text"
	    " working-tree-encoding\n", ".gitattributes has working-tree-" },
	{ "a negated one", "40000 d {\n100644 .gitattributes =*.txt"
	    " -working-tree-encoding\n}\n", "d/.gitattributes has" },
	{ "in a macro", "100644 .gitattributes =[attr]x"
	    "\tworking-tree-encoding\n", "without a value" },
	{ "one that is taken back", "100644 .gitattributes =*.txt"
	    " !working-tree-encoding\n", NULL },
	{ "files of that name", "100644 .gitattributes ="
	    "working-tree-encoding text\n", NULL },
	{ "and with a space", "100644 .gitattributes ="
	    "\"a working-tree-encoding\" text\n", NULL },
	{ "a comment", "100644 .gitattributes ="
	    "# working-tree-encoding alone\n", NULL },
	/* Symlinks. */
	{ "a link", "120000 l =f\n", NULL },
	{ "a link to the top", "40000 d {\n120000 l =..\n}\n", NULL },
	{ "out", "120000 l =..\n", "l is a symlink to .., which leads out" },
	{ "absolute", "120000 l =/etc/passwd\n", "to /etc/passwd, which" },
	{ "out of a folder", "40000 d {\n120000 l =../../x\n}\n",
	    "d/l is a symlink to ../../x" },
	{ "in and out", "120000 l =a/../../x\n", "leads out" },
	{ "slashes and dots", "120000 l =./a//../b/.\n", NULL },
	{ "a loop", "120000 a =b\n120000 b =a\n", NULL },
	{ "itself", "120000 a =a\n", NULL },
	{ "a chain", "120000 a =b\n120000 b =c\n100644 c =x\n", NULL },
	{ "a chain out", "120000 a =b\n120000 b =..\n", "b is a symlink" },
	{ "up behind a link", "40000 d {\n120000 up =..\n}\n"
	    "120000 l =d/up/..\n", "l is a symlink to d/up/.., which" },
	{ "up behind a link that goes down", "40000 a {\n40000 b {\n"
	    "100644 f =x\n}\n}\n120000 d =a/b\n120000 l =d/../..\n", NULL },
	{ "and once more", "40000 a {\n40000 b {\n"
	    "100644 f =x\n}\n}\n120000 d =a/b\n120000 l =d/../../..\n",
	    "l is a symlink to d/../../.." },
	{ "through an absolute one", "120000 a =/etc\n120000 l =a/x\n",
	    "a is a symlink" },
	{ "nowhere", "120000 l =\n", "with a target that none can have" },
	{ "through uploads and out", "120000 l =uploads/../x\n",
	    "leads through shared files and out again" },
	{ "into uploads", "120000 l =uploads/x\n", NULL },
	/* What is ours: shared = uploads/ conf/local.php, carry = v/m/. */
	{ "uploads", "40000 uploads {\n100644 f =x\n}\n", NULL },
	{ "a link there", "120000 uploads =d\n", "uploads is a symlink, and"
	    " slipway.ini has shared = uploads/" },
	{ "a file there", "100644 uploads =d\n", "uploads is a file, and"
	    " slipway.ini has the folder uploads/ in shared; take it out of"
	    " the repository, or make that entry uploads" },
	{ "conf", "40000 conf {\n100644 local.php =x\n}\n", NULL },
	{ "a link instead of conf", "120000 conf =d\n", "conf is a symlink,"
	    " and slipway.ini has shared = conf/local.php" },
	{ "a file instead of conf", "100644 conf =d\n", "conf is a file" },
	{ "a folder for a file", "40000 conf {\n40000 local.php {\n"
	    "100644 f =x\n}\n}\n", "conf/local.php is a folder, and"
	    " slipway.ini has the file conf/local.php in shared; take it out"
	    " of the repository, or make that entry conf/local.php/" },
	{ "a link for a file", "40000 conf {\n120000 local.php =x\n}\n",
	    "conf/local.php is a symlink" },
	{ "v", "40000 v {\n100644 f =x\n}\n", NULL },
	{ "a link instead of v", "120000 v =d\n", "v is a symlink, and"
	    " slipway.ini has carry = v/m/" },
	{ "a file instead of v", "100644 v =d\n", NULL },
	{ "deploy", "40000 deploy {\n100755 after_build =x\n}\n", NULL },
	{ "a link instead of deploy", "120000 deploy =d\n", "deploy is a"
	    " symlink, and the hooks" },
	{ "a link for a hook", "40000 deploy {\n120000 after_build =../x\n"
	    "}\n", "deploy/after_build is a symlink" },
	{ "another link there", "40000 deploy {\n120000 x =../x\n}\n", NULL },
};

static void
test_trees(void)
{
	struct vet_known empty;
	char commit[REPO_OID_SIZE];

	memset(&empty, 0, sizeof(empty));
	for (size_t i = 0; i < sizeof(trees) / sizeof(*trees); i++) {
		struct vet whole = { .repo = repo, .rules = &rules };
		struct vet beside = { .repo = repo, .rules = &rules };

		commit_text(commit, trees[i].tree);
		is_fit(&whole, commit, trees[i].want, trees[i].what);
		beside.known = i == 0 ? whole.known : empty;
		is_fit(&beside, commit, trees[i].want, trees[i].what);
		if (i == 0)
			empty = whole.known;
		if (trees[i].want == NULL)
			ok(beside.known.files == whole.known.files &&
			    beside.known.bytes == whole.known.bytes,
			    "%s counts the same", trees[i].what);
		vet_release(&whole);
		vet_release(&beside);
	}
}

/* From one fit tree to another: what is passed over must not be wrong. */
static const struct {
	const char *what, *from, *to, *want;
	int64_t files, bytes;
} changes[] = {
	{ "a folder becomes a file", "40000 d {\n100644 f =xx\n}\n",
	    "100644 d =x\n", NULL, 1, 1 },
	{ "and back", "100644 d =x\n", "40000 d {\n100644 f =xx\n}\n", NULL,
	    1, 2 },
	{ "a folder is gone", "40000 d {\n40000 e {\n100644 f =xx\n"
	    "100644 g =x\n}\n}\n100644 z =zzz\n", "100644 z =zzz\n", NULL,
	    1, 3 },
	{ "a file among others", "100644 a =x\n100644 b =x\n",
	    "100644 a =x\n100644 ab =xx\n100644 b =xxx\n", NULL, 3, 6 },
	{ "setuid where nothing else changed", "100755 f =x\n",
	    "104755 f =x\n", "mode 104755", 0, 0 },
	{ "a folder turns into a link, and another one leads through it",
	    "120000 l =d/up/..\n40000 d {\n40000 up {\n100644 f =x\n}\n}\n",
	    "40000 d {\n120000 up =..\n}\n120000 l =d/up/..\n",
	    "l is a symlink to d/up/..", 0, 0 },
	{ "a link turns into a folder, and another one leads through it",
	    "40000 a {\n40000 b {\n100644 f =x\n}\n}\n120000 d =a/b\n"
	    "120000 l =d/../..\n",
	    "40000 a {\n40000 b {\n100644 f =x\n}\n}\n40000 d {\n"
	    "100644 f =x\n}\n120000 l =d/../..\n",
	    "l is a symlink to d/../..", 0, 0 },
};

static void
test_changes(void)
{
	char from[REPO_OID_SIZE], to[REPO_OID_SIZE];

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		struct vet vet = { .repo = repo, .rules = &rules };

		commit_text(from, changes[i].from);
		commit_text(to, changes[i].to);
		/* Not each of them is in order, or fit, by itself. */
		vet_commit(&vet, from);
		vec_clear(&vet.reasons);
		is_fit(&vet, to, changes[i].want, changes[i].what);
		if (changes[i].want == NULL) {
			is_int(vet.known.files, changes[i].files, "files");
			is_int(vet.known.bytes, changes[i].bytes, "bytes");
		}
		vet_release(&vet);
	}
}

static void
test_rules(void)
{
	static const char text[] = "100644 a =12345\n100644 b =1234567890\n"
	    "120000 l =a\n";
	static const struct {
		const char *what, *want;
		struct vet_rules rules;
	} cases[] = {
		{ "three files", NULL, { .max_files = 3 } },
		{ "not two", "has at least 3 files, and slipway.ini takes 2",
		    { .max_files = 2 } },
		{ "16 bytes", NULL, { .max_bytes = 16 } },
		{ "not 15", "has 16 bytes of files, and slipway.ini takes 15",
		    { .max_bytes = 15 } },
		{ "10 in one", NULL, { .max_file_bytes = 10 } },
		{ "not 9", "b has 10 bytes, and slipway.ini takes 9",
		    { .max_file_bytes = 9 } },
		{ "no link", "l is a symlink, and slipway.ini takes none",
		    { .links = VET_NONE } },
	};
	char commit[REPO_OID_SIZE];

	commit_text(commit, text);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vet_rules own = cases[i].rules;
		struct vet vet = { .repo = repo, .rules = &own };

		own.path_max = 100;
		is_fit(&vet, commit, cases[i].want, cases[i].what);
		vet_release(&vet);
	}
	rules.links = VET_ANY;
	commit_text(commit, "120000 l =/etc/passwd\n");
	{
		struct vet vet = { .repo = repo, .rules = &rules };

		is_fit(&vet, commit, NULL, "any link");
		vet_release(&vet);
	}
	rules.links = VET_INSIDE;
}

int
main(void)
{
	vet_begin();
	test_trees();
	test_changes();
	test_rules();
	return vet_end();
}
