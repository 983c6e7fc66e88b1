/*
 * A web server that resolves "current" wrongly serves old files after a
 * deploy, or a mixture. Its files are read for the few things that are
 * certain: what names the root of an environment, and beside that, in the
 * same file, a directive that is known to go wrong with a symlink that
 * flips. Includes are not followed, but for the one that Debian ships.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd/doctor.h"
#include "file.h"
#include "path.h"

#define FILE_MAX (1024 * 1024)

/* A file of a web server's configuration, line by line. */
struct page {
	struct doctor *doctor;
	const struct environment *env;
	const char *path;
	struct vec lines;	/* words, with one space between them */
	bool below_current;	/* it has a root under "current" */
};

typedef void (*page_cb)(struct page *page);

/* Without comment and semicolon; words are separated by one space. */
static void
push_line(struct vec *lines, const char *text, size_t len)
{
	char *line = xstrndup(text, len);
	struct vec words = VEC_INIT;
	struct str clean = STR_INIT;

	line[strcspn(line, "#;")] = '\0';
	vec_split(&words, line, " \t\r\"'");
	vec_join(&words, " ", &clean);
	vec_push_take(lines, str_detach(&clean));
	vec_release(&words);
	free(line);
}

static void
split_lines(struct vec *lines, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		push_line(lines, text, len);
		text += len;
		text += *text == '\n';
	}
}

static void
tell_at(struct page *page, size_t line, enum level level,
    const char *remedy, const char *what)
{
	char *where = xasprintf("%s:%zu", page->path, line + 1);

	doctor_tell(page->doctor, level, where, remedy, "%s", what);
	free(where);
}

/* What follows a directive's name, NULL when the line is another one. */
static const char *
value_of(const char *line, const char *name)
{
	size_t len = strlen(name);

	return strncasecmp(line, name, len) == 0 && line[len] == ' ' ?
	    line + len + 1 : NULL;
}

/* Roots in "current", and those in one release, which never change. */
static void
look_at_roots(struct page *page, const char *directive)
{
	char *current = path_join(page->env->set.root, "current");
	char *releases = path_join(page->env->set.root, "releases");
	char *remedy = xasprintf("%s %s", directive, current);

	for (size_t i = 0; i < page->lines.n; i++) {
		const char *root = value_of(page->lines.v[i], directive);

		if (root == NULL)
			continue;
		page->below_current |= path_is_within(root, current);
		if (path_is_within(root, releases))
			tell_at(page, i, LEVEL_FAULT, remedy, "it names one"
			    " release, and stays there after a deploy");
	}
	free(remedy);
	free(releases);
	free(current);
}

static bool
has(const struct page *page, const char *words)
{
	for (size_t i = 0; i < page->lines.n; i++) {
		if (strstr(page->lines.v[i], words) != NULL)
			return true;
	}
	return false;
}

/* Debian's file says $document_root; what follows it may say otherwise. */
static bool
includes_document_root(const struct page *page, const char *line)
{
	static const char *const names[] = {
		"snippets/fastcgi-php.conf", "fastcgi.conf"
	};
	const char *file = value_of(line, "include");
	char *path = path_join(page->doctor->etc, "nginx/fastcgi.conf");
	struct str text = STR_INIT;
	bool is = false;

	for (size_t i = 0; file != NULL && i < 2; i++)
		is = is || str_ends_with(file, names[i]);
	is = is && file_read(&text, path, FILE_MAX) == NULL &&
	    strstr(text.s, "$document_root$fastcgi_script_name") != NULL;
	str_release(&text);
	free(path);
	return is;
}

static void
look_at_fastcgi(struct page *page)
{
	static const char param[] = "fastcgi_param SCRIPT_FILENAME"
	    " $document_root";

	for (size_t i = 0; i < page->lines.n; i++) {
		const char *line = page->lines.v[i];

		if (!str_starts_with(line, param) &&
		    !includes_document_root(page, line))
			continue;
		tell_at(page, i, LEVEL_WARNING, "below it: fastcgi_param"
		    " SCRIPT_FILENAME $realpath_root$fastcgi_script_name;"
		    " fastcgi_param DOCUMENT_ROOT $realpath_root;", "PHP gets"
		    " a path through the symlink, and its caches serve files"
		    " of the old release after a deploy");
		return;
	}
}

static void
look_at_nginx(struct page *page)
{
	look_at_roots(page, "root");
	if (!page->below_current)
		return;
	if (!has(page, "SCRIPT_FILENAME $realpath_root"))
		look_at_fastcgi(page);
	for (size_t i = 0; i < page->lines.n; i++) {
		const char *line = page->lines.v[i];

		if (strcmp(line, "disable_symlinks on") == 0)
			tell_at(page, i, LEVEL_FAULT, "disable_symlinks off",
			    "nginx does not follow \"current\"");
		if (str_starts_with(line, "open_file_cache max="))
			tell_at(page, i, LEVEL_NOTE, NULL, "files of the old"
			    " release are served for up to"
			    " open_file_cache_valid after a deploy");
	}
}

/*
 * "Options" of a <Directory> at or above "current": without signs they are
 * all that is left.
 */
static bool
forbids_links(const char *options)
{
	bool absolute = options[0] != '+' && options[0] != '-';

	if (strcasestr(options, "-FollowSymLinks") != NULL)
		return strcasestr(options, "SymLinksIfOwnerMatch") == NULL;
	return absolute && strcasestr(options, "SymLinks") == NULL &&
	    strcasestr(options, "All") == NULL;
}

static void
look_at_apache(struct page *page)
{
	char *current = path_join(page->env->set.root, "current");
	bool inside = false;

	look_at_roots(page, "DocumentRoot");
	for (size_t i = 0; page->below_current && i < page->lines.n; i++) {
		const char *line = page->lines.v[i];
		const char *options = value_of(line, "Options");
		const char *folder = value_of(line, "<Directory");

		if (folder != NULL) {
			size_t len = strcspn(folder, ">");
			char *path;

			len -= len > 1 && folder[len - 1] == '/';
			path = xstrndup(folder, len);
			inside = path_is_within(current, path) ||
			    path_is_within(path, current);
			free(path);
		} else if (strncasecmp(line, "</Directory", 11) == 0) {
			inside = false;
		} else if (inside && options != NULL &&
		    forbids_links(options)) {
			tell_at(page, i, LEVEL_FAULT, "Options"
			    " +FollowSymLinks", "apache does not follow"
			    " \"current\"");
		}
	}
	free(current);
}

static void
read_page(struct doctor *doctor, const char *path, page_cb cb)
{
	const struct config *config = doctor->hub->config;
	struct str text = STR_INIT;
	struct page page = {
		.doctor = doctor,
		.path = path,
		.lines = VEC_INIT,
	};

	if (file_read(&text, path, FILE_MAX) == NULL)
		split_lines(&page.lines, text.s);
	for (size_t i = 0; config != NULL && i < config->n_environments;
	    i++) {
		page.env = &config->environments[i];
		page.below_current = false;
		if (doctor->only == NULL ||
		    strcmp(doctor->only, page.env->name) == 0)
			cb(&page);
	}
	vec_release(&page.lines);
	str_release(&text);
}

/* Every file of a folder that ends so; what cannot be read says nothing. */
static void
read_pages(struct doctor *doctor, const char *folder, const char *ending,
    page_cb cb)
{
	char *dir = path_join(doctor->etc, folder);
	struct vec names = VEC_INIT;

	if (file_list(&names, AT_FDCWD, dir) != NULL)
		vec_clear(&names);
	for (size_t i = 0; i < names.n; i++) {
		char *path = path_join(dir, names.v[i]);

		if (str_ends_with(path, ending))
			read_page(doctor, path, cb);
		free(path);
	}
	vec_release(&names);
	free(dir);
}

const struct err *
doctor_nginx(struct doctor *doctor)
{
	read_pages(doctor, "nginx", "nginx.conf", look_at_nginx);
	read_pages(doctor, "nginx/conf.d", ".conf", look_at_nginx);
	read_pages(doctor, "nginx/sites-enabled", "", look_at_nginx);
	return NULL;
}

const struct err *
doctor_apache(struct doctor *doctor)
{
	read_pages(doctor, "apache2", "apache2.conf", look_at_apache);
	read_pages(doctor, "apache2/conf-enabled", ".conf", look_at_apache);
	read_pages(doctor, "apache2/sites-enabled", ".conf", look_at_apache);
	return NULL;
}

static bool
restarts(const struct page *page)
{
	const struct config *config = page->doctor->hub->config;

	for (size_t i = 0; i < config->n_actions; i++) {
		const struct action *action = &config->actions[i];

		if (config_action_applies(action, page->env) &&
		    (action->phase == PHASE_RESTART ||
		    action->phase == PHASE_CLEAR))
			return true;
	}
	return false;
}

static bool
is_off(const char *value)
{
	value += *value == ' ';
	return strcmp(value, "0") == 0 || strcasecmp(value, "off") == 0 ||
	    strcasecmp(value, "no") == 0 || strcasecmp(value, "false") == 0;
}

/* PHP's comments begin with a semicolon, which ends every line here. */
static void
look_at_php(struct page *page)
{
	for (size_t i = 0; i < page->lines.n; i++) {
		const char *line = page->lines.v[i];
		const char *value = strchr(line, '=');

		if (!str_starts_with(line, "opcache.validate_timestamps") ||
		    value == NULL || !is_off(value + 1) || restarts(page))
			continue;
		tell_at(page, i, LEVEL_WARNING, "an [action] of the phase"
		    " restart, with run = sudo systemctl reload php-fpm",
		    "PHP never looks whether a file has changed, and no"
		    " action of the phases restart and clear makes it forget"
		    " the old ones");
	}
}

const struct err *
doctor_php(struct doctor *doctor)
{
	char *php = path_join(doctor->etc, "php");
	struct vec versions = VEC_INIT;

	if (file_list(&versions, AT_FDCWD, php) != NULL)
		vec_clear(&versions);
	for (size_t i = 0; i < versions.n; i++) {
		char *fpm = xasprintf("php/%s/fpm", versions.v[i]);
		char *more = xasprintf("%s/conf.d", fpm);

		read_pages(doctor, fpm, "php.ini", look_at_php);
		read_pages(doctor, more, ".ini", look_at_php);
		free(more);
		free(fpm);
	}
	vec_release(&versions);
	free(php);
	return NULL;
}
