/*
 * A web server that resolves "current" wrongly serves old files after a
 * deploy, or a mixture. Its files are read for the few things that are
 * certain: what names the root of an environment, and beside that, where it
 * counts for that root, a directive that is known to go wrong with a symlink
 * that flips. Includes are not followed, but for the one that Debian ships.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd/doctor_page.h"
#include "file.h"
#include "path.h"

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

void
page_tell(struct page *page, size_t line, enum level level,
    const char *remedy, const char *what)
{
	char *where = xasprintf("%s:%zu", page->path, line + 1);

	doctor_tell(page->doctor, level, where, remedy, "%s", what);
	free(where);
}

const char *
page_value(const char *line, const char *name)
{
	size_t len = strlen(name);

	return strncasecmp(line, name, len) == 0 && line[len] == ' ' ?
	    line + len + 1 : NULL;
}

bool
page_look_at_root(struct page *page, size_t line, const char *directive,
    const char *path)
{
	char *current = path_join(page->env->set.root, "current");
	char *releases = path_join(page->env->set.root, "releases");
	char *remedy = xasprintf("%s %s", directive, current);
	bool is = path_is_within(path, current);

	if (path_is_within(path, releases))
		page_tell(page, line, LEVEL_FAULT, remedy, "it names one"
		    " release, and stays there after a deploy");
	free(remedy);
	free(releases);
	free(current);
	return is;
}

/*
 * What "Options" say of symlinks: without signs they are all that is left,
 * and with signs they may say nothing.
 */
static bool
speaks_of_links(const char *options)
{
	return (options[0] != '+' && options[0] != '-') ||
	    strcasestr(options, "SymLinks") != NULL ||
	    strcasestr(options, "All") != NULL;
}

static bool
forbids_links(const char *options)
{
	bool absolute = options[0] != '+' && options[0] != '-';

	if (strcasestr(options, "-FollowSymLinks") != NULL)
		return strcasestr(options, "SymLinksIfOwnerMatch") == NULL;
	return absolute && strcasestr(options, "SymLinks") == NULL &&
	    strcasestr(options, "All") == NULL;
}

/* The length of the folder of a <Directory>, without a slash at its end. */
static size_t
folder_len(const char *folder)
{
	size_t len = strcspn(folder, " >");

	return len - (len > 1 && folder[len - 1] == '/');
}

/*
 * Whether apache follows a link depends on the folders that the link is in:
 * what is said of "current" itself, or below, is of links within. The
 * innermost that speaks of it counts.
 */
static void
look_at_options(struct page *page, const char *current)
{
	size_t innermost = 0, at = 0, len = 0;

	for (size_t i = 0; i < page->lines.n; i++) {
		const char *line = page->lines.v[i];
		const char *options = page_value(line, "Options");
		const char *folder = page_value(line, "<Directory");

		if (folder != NULL) {
			char *path = xstrndup(folder, folder_len(folder));

			len = strcmp(path, current) != 0 &&
			    path_is_within(current, path) ? strlen(path) : 0;
			free(path);
		} else if (strncasecmp(line, "</Directory", 11) == 0) {
			len = 0;
		} else if (options != NULL && len > 0 && len >= innermost &&
		    speaks_of_links(options)) {
			innermost = len;
			at = i;
		}
	}
	if (innermost > 0 && forbids_links(page_value(page->lines.v[at],
	    "Options")))
		page_tell(page, at, LEVEL_FAULT, "Options +FollowSymLinks",
		    "apache does not follow \"current\"");
}

static void
look_at_apache(struct page *page)
{
	char *current = path_join(page->env->set.root, "current");
	bool below = false;

	for (size_t i = 0; i < page->lines.n; i++) {
		const char *root = page_value(page->lines.v[i],
		    "DocumentRoot");

		below |= root != NULL && page_look_at_root(page, i,
		    "DocumentRoot", root);
	}
	if (below)
		look_at_options(page, current);
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

	if (file_read(&text, path, PAGE_MAX) != NULL)
		str_clear(&text);
	split_lines(&page.lines, text.s);
	page.text = text.s;
	for (size_t i = 0; config != NULL && i < config->n_environments;
	    i++) {
		page.env = &config->environments[i];
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
	read_pages(doctor, "nginx", "nginx.conf", page_look_at_nginx);
	read_pages(doctor, "nginx/conf.d", ".conf", page_look_at_nginx);
	read_pages(doctor, "nginx/sites-enabled", "", page_look_at_nginx);
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
		page_tell(page, i, LEVEL_WARNING, "an [action] of the phase"
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
