#include "convert.h"

#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "alloc.h"
#include "path.h"
#include "repo.h"

/* A Git LFS pointer is never larger. */
#define POINTER_MAX 1024

/* What is asked of git about a path; the last two for an export only. */
static const char *const asked[] = {
	"eol", "ident", "filter", "working-tree-encoding",
	"export-ignore", "export-subst",
};

#define N_CHECKOUT 4
#define N_EXPORT 6

/*
 * True when an attribute file may ask for a change. Attribute names cannot
 * be quoted or pieced together, so a file without these words does not.
 */
static bool
has_words(const char *bytes, size_t len, bool export)
{
	static const char *const words[] = {
		"crlf", "ident", "filter", "working-tree-encoding", "export-",
	};
	size_t n = sizeof(words) / sizeof(*words) - (export ? 0 : 1);

	for (size_t i = 0; i < n; i++) {
		if (memmem(bytes, len, words[i], strlen(words[i])) != NULL)
			return true;
	}
	return false;
}

static const struct err *
ask_tree(bool *ask, const struct listing *listing, struct repo *repo,
    bool export)
{
	git_repository *git = repo_handle(repo);

	for (size_t i = 0; i < listing->n && !*ask; i++) {
		const struct listing_entry *entry = &listing->entries[i];
		git_blob *blob;
		int code;

		if (entry->mode == LISTING_FOLDER ||
		    !listing_is_attributes(entry))
			continue;
		code = git_blob_lookup(&blob, git, &entry->oid);
		if (code != 0)
			return repo_error(code, "read %s", entry->path);
		*ask = has_words(git_blob_rawcontent(blob),
		    (size_t)git_blob_rawsize(blob), export);
		git_blob_free(blob);
	}
	return NULL;
}

static bool
exists(const char *dir, const char *name)
{
	char *path = path_join(dir, name);
	bool is = access(path, F_OK) == 0;

	free(path);
	return is;
}

const struct err *
convert_asks_outside(bool *ask, struct repo *repo,
    const struct plumbing *git)
{
	const char *home = plumbing_getenv(git, "HOME");
	const struct err *err;
	char *file;

	err = repo_config_get(repo, "core.attributesfile", &file);
	if (err != NULL)
		return err;
	if (file != NULL || exists("/etc", "gitattributes") ||
	    exists(plumbing_getenv(git, "GIT_DIR"), "info/attributes") ||
	    (home != NULL && exists(home, ".config/git/attributes")))
		*ask = true;
	free(file);
	return NULL;
}

static bool
is_any_of(const char *value, const char *const *list)
{
	for (size_t i = 0; list[i] != NULL; i++) {
		if (strcasecmp(value, list[i]) == 0)
			return true;
	}
	return false;
}

/*
 * True when the repository's settings may turn line ends into CRLF without
 * any attribute. Being wrong in that direction costs time only.
 */
static const struct err *
wants_crlf(bool *wants, struct repo *repo)
{
	static const char *const harmless[] = {
		"false", "no", "off", "0", "", "input", "lf", "native", NULL
	};
	static const char *const keys[] = { "core.autocrlf", "core.eol" };

	*wants = false;
	for (int i = 0; i < 2; i++) {
		const struct err *err;
		char *value;

		err = repo_config_get(repo, keys[i], &value);
		if (err != NULL)
			return err;
		if (value != NULL && !is_any_of(value, harmless))
			*wants = true;
		free(value);
	}
	return NULL;
}

static void
take_value(struct listing_entry *entry, int attribute, const char *value)
{
	static const char *const none[] = { "unspecified", "unset", NULL };
	unsigned int flag = 0;

	switch (attribute) {
	case 0:
		flag = strcmp(value, "crlf") == 0 ? LISTING_CONVERT : 0;
		break;
	case 1:
		flag = is_any_of(value, none) ? 0 : LISTING_CONVERT;
		break;
	case 2:
		flag = is_any_of(value, none) ? 0 :
		    LISTING_CONVERT | LISTING_FILTER;
		break;
	case 3:
		flag = is_any_of(value, none) ? 0 : LISTING_CONVERT;
		break;
	case 4:
		flag = strcmp(value, "set") == 0 ? LISTING_IGNORED : 0;
		break;
	case 5:
		flag = strcmp(value, "set") == 0 ? LISTING_SUBST : 0;
		break;
	}
	entry->flags |= flag;
}

/* The next text of "-z" output; NULL where there is none. */
static const char *
next_text(const struct str *out, size_t *at)
{
	const char *text = out->s + *at;

	if (*at >= out->len)
		return NULL;
	*at += strlen(text) + 1;
	return text;
}

static bool
is_asked(const struct listing_entry *entry, bool export)
{
	return *entry->path != '\0' && (export ||
	    entry->mode == LISTING_FILE || entry->mode == LISTING_PROGRAM);
}

/* git answers in the order it was asked: path, attribute, value. */
static const struct err *
take_answers(struct listing *listing, const struct str *out, bool export)
{
	int n = export ? N_EXPORT : N_CHECKOUT;
	size_t at = 0;

	for (size_t i = 0; i < listing->n; i++) {
		struct listing_entry *entry = &listing->entries[i];

		if (!is_asked(entry, export))
			continue;
		for (int k = 0; k < n; k++) {
			const char *path = next_text(out, &at);
			const char *name = next_text(out, &at);
			const char *value = next_text(out, &at);

			if (value == NULL || strcmp(name, asked[k]) != 0 ||
			    !str_starts_with(path, entry->path))
				return err_new(ERR_GIT, "git check-attr:"
				    " no answer for %s", entry->path);
			take_value(entry, k, value);
		}
	}
	return NULL;
}

static const struct err *
ask_git(struct listing *listing, struct plumbing *git, bool export)
{
	const char *args[5 + N_EXPORT] = {
		"check-attr", "--cached", "-z", "--stdin",
	};
	struct str in = STR_INIT, out = STR_INIT;
	const struct err *err;

	for (int i = 0; i < (export ? N_EXPORT : N_CHECKOUT); i++)
		args[4 + i] = asked[i];
	for (size_t i = 0; i < listing->n; i++) {
		const struct listing_entry *entry = &listing->entries[i];

		if (!is_asked(entry, export))
			continue;
		str_add(&in, entry->path);
		/* With its slash, a pattern for folders matches it. */
		if (entry->mode == LISTING_FOLDER)
			str_addch(&in, '/');
		str_addch(&in, '\0');
	}
	err = plumbing_index(git);
	if (err == NULL)
		err = plumbing_run(git, args, &in, &out);
	if (err == NULL)
		err = take_answers(listing, &out, export);
	str_release(&in);
	str_release(&out);
	return err;
}

/* Where anything may be asked for, and whether all files are. */
static const struct err *
find_asks(const struct listing *listing, struct repo *repo,
    struct plumbing *git, bool export, bool *ask, bool *all)
{
	const struct err *err;

	*ask = false;
	err = wants_crlf(all, repo);
	if (err == NULL)
		err = convert_asks_outside(ask, repo, git);
	if (err == NULL && !*ask)
		err = ask_tree(ask, listing, repo, export);
	return err;
}

const struct err *
convert_asks(const struct listing *listing, struct repo *repo,
    struct plumbing *git, bool export, bool *plain)
{
	const struct err *err;
	bool ask = false, all = false;

	err = find_asks(listing, repo, git, export, &ask, &all);
	*plain = !ask && !all;
	return err;
}

const struct err *
convert_mark(struct listing *listing, struct repo *repo,
    struct plumbing *git, bool export)
{
	const struct err *err;
	bool ask = false, all = false;

	err = find_asks(listing, repo, git, export, &ask, &all);
	if (err == NULL && ask)
		err = ask_git(listing, git, export);
	for (size_t i = 0; err == NULL && all && i < listing->n; i++)
		listing->entries[i].flags |= LISTING_CONVERT;
	return err;
}

static bool
is_for_git(const struct listing_entry *entry)
{
	return (entry->flags & LISTING_WANTED) != 0 &&
	    (entry->flags & LISTING_CONVERT) != 0 &&
	    (entry->mode == LISTING_FILE || entry->mode == LISTING_PROGRAM);
}

/*
 * checkout-index looks for attributes in the work tree first and in the
 * index then. So that it sees those of the commit, attribute files which
 * themselves are converted come last, and all others are not there yet.
 *
 * An export is written so, too. git archive differs from it in one thing,
 * because git has two expanders of ident: in malformed ones, as in "$$Id$"
 * or an "$Id: " without an end, archive and checkout disagree.
 */
const struct err *
convert_write(struct listing *listing, struct plumbing *git)
{
	static const char *const args[] = {
		"checkout-index", "-q", "-z", "--stdin", NULL
	};
	struct str in = STR_INIT, out = STR_INIT;
	const struct err *err = NULL;

	for (int last = 0; last < 2; last++) {
		for (size_t i = 0; i < listing->n; i++) {
			struct listing_entry *entry = &listing->entries[i];

			if (!is_for_git(entry) ||
			    listing_is_attributes(entry) != (last == 1))
				continue;
			str_add_bytes(&in, entry->path,
			    strlen(entry->path) + 1);
			for (int64_t up = entry->parent; up != -1;
			    up = listing->entries[up].parent)
				listing->entries[up].flags |= LISTING_BY_GIT;
		}
	}
	if (in.len > 0)
		err = plumbing_index(git);
	if (in.len > 0 && err == NULL)
		err = plumbing_run(git, args, &in, &out);
	str_release(&in);
	str_release(&out);
	return err;
}

/*
 * git log expands a format as git archive does, given the same settings,
 * and ends it with a newline of its own.
 */
static const struct err *
expand(struct plumbing *git, const char *format, size_t len,
    struct str *out)
{
	char *text = xstrndup(format, len);
	char *option = xasprintf("--format=tformat:%s", text);
	const char *args[] = { "log", "-1", "--no-show-signature",
	    "--no-notes", "--no-color", "--no-decorate", "--date=default",
	    "--encoding=UTF-8", option, git->commit, NULL };
	struct str expanded = STR_INIT;
	const struct err *err = NULL;

	if (*text != '\0')
		err = plumbing_run(git, args, NULL, &expanded);
	if (expanded.len > 0 && expanded.s[expanded.len - 1] == '\n')
		str_truncate(&expanded, expanded.len - 1);
	str_add_bytes(out, expanded.s, expanded.len);
	str_release(&expanded);
	free(option);
	free(text);
	return err;
}

const struct err *
convert_subst(struct plumbing *git, const char *bytes, size_t len,
    struct str *out)
{
	static const char opening[] = "$Format:";
	const char *end = bytes + len;
	const struct err *err = NULL;

	while (err == NULL) {
		const char *start = memmem(bytes, (size_t)(end - bytes),
		    opening, strlen(opening));
		const char *format, *stop;

		if (start == NULL)
			break;
		format = start + strlen(opening);
		stop = memchr(format, '$', (size_t)(end - format));
		if (stop == NULL)
			break;
		str_add_bytes(out, bytes, (size_t)(start - bytes));
		err = expand(git, format, (size_t)(stop - format), out);
		bytes = stop + 1;
	}
	str_add_bytes(out, bytes, (size_t)(end - bytes));
	return err;
}

bool
convert_is_pointer(const char *bytes, size_t len)
{
	static const char first[] = "version https://git-lfs.github.com/spec/";

	return len <= POINTER_MAX && len >= strlen(first) &&
	    memcmp(bytes, first, strlen(first)) == 0;
}
