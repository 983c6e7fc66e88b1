#include "repo.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <git2.h>

#include "alloc.h"

#define IDENT_NAME "Slipway"
#define IDENT_EMAIL "slipway@localhost"

/*
 * One window of a pack, and all windows of a process. A pack that was pushed
 * has its blobs in the order of the tree, in which they are read here, so
 * that few windows do as well as the whole.
 */
#define WINDOW_BYTES (1024 * 1024)
#define WINDOWS_BYTES (3 * 1024 * 1024)

struct repo {
	git_repository *git;
	bool quarantine;
};

static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

const struct err *
repo_error(int code, const char *fmt, ...)
{
	const git_error *last = git_error_last();
	struct str what = STR_INIT;
	enum err_code ours = ERR_GIT;
	const struct err *err;
	va_list ap;

	if (code == GIT_ENOTFOUND)
		ours = ERR_NOT_FOUND;
	else if (code == GIT_ELOCKED)
		ours = ERR_BUSY;
	va_start(ap, fmt);
	str_addv(&what, fmt, ap);
	va_end(ap);
	if (last != NULL && last->message != NULL)
		err = err_new(ours, "%s: %s", what.s, last->message);
	else
		err = err_new(ours, "%s: libgit2 failed with %d", what.s, code);
	str_release(&what);
	return err;
}

/*
 * Refs say what is live, so they are as durable as the journal. A pack is
 * looked at through windows of a size that a small machine has.
 */
static int
set_options(void)
{
	int code;

	code = git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	if (code == 0)
		code = git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	if (code == 0)
		code = git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE,
		    (size_t)WINDOW_BYTES);
	if (code == 0)
		code = git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT,
		    (size_t)WINDOWS_BYTES);
	return code;
}

/*
 * A shared libgit2 parses every CA certificate of the machine when it
 * starts, for https: more than half of its start. Nothing here speaks to a
 * network through it, so where it is built on mbedtls, as in Debian, these
 * stand in for the two functions that it calls, and tell it that all went
 * well. One that is linked in has no network: see repo_offline.c.
 */
int mbedtls_x509_crt_parse_file(void *chain, const char *path);
int mbedtls_x509_crt_parse_path(void *chain, const char *path);

int
mbedtls_x509_crt_parse_file(void *chain, const char *path)
{
	(void)chain;
	(void)path;
	return 0;
}

int
mbedtls_x509_crt_parse_path(void *chain, const char *path)
{
	(void)chain;
	(void)path;
	return 0;
}

/*
 * The options are global and unlocked in libgit2, so they are set by the
 * first to come, while everybody else waits.
 */
static const struct err *
library_enter(void)
{
	const struct err *err = NULL;
	int count, code = 0;

	pthread_mutex_lock(&library_lock);
	count = git_libgit2_init();
	if (count < 0)
		err = repo_error(count, "start libgit2");
	if (count == 1)
		code = set_options();
	if (code != 0) {
		err = repo_error(code, "set up libgit2");
		git_libgit2_shutdown();
	}
	pthread_mutex_unlock(&library_lock);
	return err;
}

static void
library_leave(void)
{
	pthread_mutex_lock(&library_lock);
	git_libgit2_shutdown();
	pthread_mutex_unlock(&library_lock);
}

static const struct err *
check_extension(const char *name, const char *value, const char *path)
{
	static const char *const harmless[] = {
		"noop", "preciousobjects", "worktreeconfig"
	};

	if (strcmp(name, "partialclone") == 0)
		return err_new(ERR_GIT, "%s is a partial clone of %s, so some "
		    "of its objects are elsewhere; make a full clone of it",
		    path, value);
	if (strcmp(name, "objectformat") == 0) {
		if (strcasecmp(value, "sha1") == 0)
			return NULL;
		return err_new(ERR_GIT, "%s uses %s objects, which this "
		    "version does not read; make the repository again with "
		    "git init --bare --object-format=sha1", path, value);
	}
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++) {
		if (strcmp(name, harmless[i]) == 0)
			return NULL;
	}
	return err_new(ERR_GIT, "%s uses the git extension %s, which this "
	    "version does not know", path, name);
}

/* Only the repository's own file can say how its objects are stored. */
static const struct err *
check_format(git_config *config, const char *path)
{
	static const char section[] = "extensions.";
	git_config_iterator *entries;
	const struct err *err = NULL;
	git_config_entry *entry;
	int code;

	code = git_config_iterator_new(&entries, config);
	if (code != 0)
		return repo_error(code, "configuration of %s", path);
	while (err == NULL) {
		code = git_config_next(&entry, entries);
		if (code != 0)
			break;
		if (entry->level == GIT_CONFIG_LEVEL_LOCAL &&
		    str_starts_with(entry->name, section))
			err = check_extension(entry->name + strlen(section),
			    entry->value == NULL ? "" : entry->value, path);
	}
	if (err == NULL && code != GIT_ITEROVER)
		err = repo_error(code, "configuration of %s", path);
	git_config_iterator_free(entries);
	return err;
}

/* One character of a C-quoted text behind its backslash. */
static const char *
unescape(const char *p, struct str *out)
{
	static const char letters[] = "abfnrtv\"\\";
	static const char meanings[] = "\a\b\f\n\r\t\v\"\\";
	const char *hit = *p == '\0' ? NULL : strchr(letters, *p);
	int value = 0, digits = 0;

	if (hit != NULL) {
		str_addch(out, meanings[hit - letters]);
		return p + 1;
	}
	while (digits < 3 && p[digits] >= '0' && p[digits] <= '7')
		value = value * 8 + (p[digits++] - '0');
	if (digits == 0)
		return NULL;
	str_addch(out, (char)value);
	return p + digits;
}

/*
 * Take one folder off a list: what follows it, NULL when it is misquoted.
 * git quotes a folder with a colon in its name; libgit2's own reader of
 * this list does not know that.
 */
static const char *
next_folder(const char *p, struct str *folder)
{
	str_clear(folder);
	if (*p != '"') {
		size_t len = strcspn(p, ":");

		str_add_bytes(folder, p, len);
		p += len;
		return *p == ':' ? p + 1 : p;
	}
	p++;
	while (p != NULL && *p != '"' && *p != '\0') {
		if (*p == '\\')
			p = unescape(p + 1, folder);
		else
			str_addch(folder, *p++);
	}
	if (p == NULL || *p != '"')
		return NULL;
	p++;
	if (*p == ':')
		return p + 1;
	return *p == '\0' ? p : NULL;
}

static const struct err *
add_alternates(git_odb *odb, const char *list)
{
	struct str folder = STR_INIT;
	const struct err *err = NULL;
	const char *p = list;

	while (err == NULL && *p != '\0') {
		int code;

		p = next_folder(p, &folder);
		if (p == NULL) {
			err = err_new(ERR_GIT, "GIT_ALTERNATE_OBJECT_"
			    "DIRECTORIES is misquoted: %s", list);
			break;
		}
		if (folder.len == 0)
			continue;
		code = git_odb_add_disk_alternate(odb, folder.s);
		if (code != 0)
			err = repo_error(code, "use objects of %s", folder.s);
	}
	str_release(&folder);
	return err;
}

/*
 * The folders are added to the ones of the repository, instead of opening
 * it with GIT_REPOSITORY_OPEN_FROM_ENV: that fails on variables that do
 * not matter here, and would look for a repository in the folders above.
 */
static const struct err *
add_quarantine(struct repo *repo)
{
	const char *incoming = getenv("GIT_OBJECT_DIRECTORY");
	const char *list = getenv("GIT_ALTERNATE_OBJECT_DIRECTORIES");
	const struct err *err = NULL;
	git_odb *odb;
	int code;

	code = git_repository_odb(&odb, repo->git);
	if (code != 0)
		return repo_error(code, "objects");
	if (incoming != NULL) {
		code = git_odb_add_disk_alternate(odb, incoming);
		if (code != 0)
			err = repo_error(code, "use objects of %s", incoming);
	}
	if (err == NULL && list != NULL)
		err = add_alternates(odb, list);
	git_odb_free(odb);
	return err;
}

/*
 * git_repository_open_bare() leaves two checks out, and is used for that.
 * Who may use a repository is decided by git, which runs the hooks, and by
 * the installer, which sets the modes: several people push to a repository
 * that one account owns, and libgit2's owner check refuses that. Its check
 * of the extensions does not say what to do; check_format() does.
 */
static const struct err *
prepare(struct repo *repo, const char *path, bool quarantine)
{
	git_config *config = NULL;
	const struct err *err = NULL;
	int code;

	code = git_repository_open_bare(&repo->git, path);
	if (code == 0)
		code = git_repository_set_ident(repo->git, IDENT_NAME,
		    IDENT_EMAIL);
	if (code == 0)
		code = git_repository_config_snapshot(&config, repo->git);
	if (code != 0)
		return repo_error(code, "open repository %s", path);
	err = check_format(config, path);
	git_config_free(config);
	if (err == NULL && quarantine) {
		err = add_quarantine(repo);
		if (err != NULL)
			err = err_add(err, "open repository %s", path);
	}
	return err;
}

const struct err *
repo_open(struct repo **repo, const char *path, bool quarantine)
{
	const struct err *err;

	*repo = NULL;
	err = library_enter();
	if (err != NULL)
		return err;
	*repo = xcalloc(1, sizeof(**repo));
	(*repo)->quarantine = quarantine;
	err = prepare(*repo, path, quarantine);
	if (err != NULL) {
		repo_close(*repo);
		*repo = NULL;
	}
	return err;
}

void
repo_close(struct repo *repo)
{
	if (repo == NULL)
		return;
	git_repository_free(repo->git);
	free(repo);
	library_leave();
}

bool
repo_is_quarantined(const struct repo *repo)
{
	return repo->quarantine;
}

/* With the last one git moves no ref while it sees the others. */
void
repo_quarantine_env(const struct repo *repo, struct vec *env)
{
	static const char *const names[] = {
		"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
		"GIT_QUARANTINE_PATH"
	};

	for (size_t i = 0; repo->quarantine &&
	    i < sizeof(names) / sizeof(*names); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL)
			vec_pushf(env, "%s=%s", names[i], value);
	}
}

struct git_repository *
repo_handle(struct repo *repo)
{
	return repo->git;
}

const struct err *
repo_config_get(struct repo *repo, const char *key, char **value)
{
	git_config *config = NULL;
	const char *lent;
	int code;

	*value = NULL;
	code = git_repository_config_snapshot(&config, repo->git);
	if (code == 0)
		code = git_config_get_string(&lent, config, key);
	if (code == 0)
		*value = xstrdup(lent);
	git_config_free(config);
	if (code != 0 && code != GIT_ENOTFOUND)
		return repo_error(code, "git configuration %s", key);
	return NULL;
}

static int
keep_value(const git_config_entry *entry, void *values)
{
	vec_push(values, entry->value == NULL ? "" : entry->value);
	return 0;
}

const struct err *
repo_config_all(struct repo *repo, const char *key, struct vec *values)
{
	git_config *config = NULL;
	int code;

	code = git_repository_config_snapshot(&config, repo->git);
	if (code == 0)
		code = git_config_get_multivar_foreach(config, key, NULL,
		    keep_value, values);
	git_config_free(config);
	if (code != 0 && code != GIT_ENOTFOUND)
		return repo_error(code, "git configuration %s", key);
	return NULL;
}

/* White space with a line end in it becomes one space. */
static void
add_folded(struct str *line, const char *text)
{
	while (*text != '\0') {
		size_t gap = strspn(text, " \t\r\n");
		size_t word = strcspn(text + gap, " \t\r\n");

		if (gap > 0 && word > 0 &&
		    memchr(text, '\n', gap) != NULL)
			str_addch(line, ' ');
		else if (word > 0)
			str_add_bytes(line, text, gap);
		str_add_bytes(line, text + gap, word);
		text += gap + word;
	}
}

const struct err *
repo_trailers(const char *message, struct vec *trailers)
{
	git_message_trailer_array found;
	const struct err *err;
	int code;

	err = library_enter();
	if (err != NULL)
		return err;
	memset(&found, 0, sizeof(found));
	code = git_message_trailers(&found, message);
	if (code != 0)
		err = repo_error(code, "trailers of a message");
	for (size_t i = 0; code == 0 && i < found.count; i++) {
		struct str line = STR_INIT;

		/* To git, what begins with the colon is none. */
		if (*found.trailers[i].key == '\0')
			continue;
		str_addf(&line, "%s: ", found.trailers[i].key);
		add_folded(&line, found.trailers[i].value);
		vec_push_take(trailers, str_detach(&line));
	}
	git_message_trailer_array_free(&found);
	library_leave();
	return err;
}
