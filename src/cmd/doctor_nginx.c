/*
 * nginx: a directive counts in its block and in those within, up to one
 * that has it itself. So each block whose root is below "current" is asked
 * for what counts there, and other sites in the same file are left alone.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd/doctor_page.h"
#include "file.h"
#include "path.h"

#define NONE ((size_t)-1)

struct row {
	char *words;		/* with one space between them */
	size_t line, block;
};

struct blocks {
	size_t *up;		/* the block around each; of the first, NONE */
	size_t n;
	struct row *rows;
	size_t n_rows;
};

static void
open_block(struct blocks *blocks, size_t up)
{
	blocks->up = xreallocarray(blocks->up, blocks->n + 1,
	    sizeof(*blocks->up));
	blocks->up[blocks->n++] = up;
}

/* The words before a ';' or a brace. */
static void
add_row(struct blocks *blocks, struct str *words, size_t line, size_t block)
{
	str_trim_end(words);
	if (words->len > 0) {
		blocks->rows = xreallocarray(blocks->rows,
		    blocks->n_rows + 1, sizeof(*blocks->rows));
		blocks->rows[blocks->n_rows++] = (struct row){
			xstrdup(words->s), line, block
		};
	}
	str_clear(words);
}

/* The next word, with what its quotes hold; moves behind it. */
static void
take_word(struct str *words, const char **at, size_t *line)
{
	char quote = **at == '"' || **at == '\'' ? *(*at)++ : '\0';
	const char *p = *at;

	for (; *p != '\0'; p++) {
		if (quote != '\0' ? *p == quote :
		    strchr(" \t\r\n;{}", *p) != NULL &&
		    !(*p == '{' && p > *at && p[-1] == '$'))
			break;
		if (*p == '\\' && p[1] != '\0')
			str_addch(words, *p++);
		/* The brace of "${name}" ends the name, and no block. */
		if (quote == '\0' && *p == '{') {
			str_add_bytes(words, p, strcspn(p, "}\n"));
			p += strcspn(p, "}\n");
			if (*p != '}')
				break;
		}
		*line += *p == '\n';
		str_addch(words, *p);
	}
	*at = p + (quote != '\0' && *p == quote);
	str_addch(words, ' ');
}

static void
parse(struct blocks *blocks, const char *text)
{
	struct str words = STR_INIT;
	size_t line = 0, first = 0, block = 0;
	const char *at = text;

	open_block(blocks, NONE);
	while (*at != '\0') {
		if (*at == '#') {
			at += strcspn(at, "\n");
		} else if (strchr(" \t\r\n", *at) != NULL) {
			line += *at++ == '\n';
		} else if (strchr(";{}", *at) != NULL) {
			add_row(blocks, &words, first, block);
			if (*at == '{') {
				open_block(blocks, block);
				block = blocks->n - 1;
			} else if (*at == '}' && blocks->up[block] != NONE) {
				block = blocks->up[block];
			}
			at++;
		} else {
			first = words.len == 0 ? line : first;
			take_word(&words, &at, &line);
		}
	}
	str_release(&words);
}

typedef bool (*row_cb)(const struct page *page, const struct row *row);

/* The row that counts in a block; NULL: none does. */
static const struct row *
counts(const struct blocks *blocks, size_t block, const struct page *page,
    row_cb is)
{
	for (; block != NONE; block = blocks->up[block]) {
		for (size_t i = 0; i < blocks->n_rows; i++) {
			if (blocks->rows[i].block == block &&
			    is(page, &blocks->rows[i]))
				return &blocks->rows[i];
		}
	}
	return NULL;
}

static bool
is_root(const struct page *page, const struct row *row)
{
	(void)page;
	return page_value(row->words, "root") != NULL;
}

static bool
is_symlinks(const struct page *page, const struct row *row)
{
	(void)page;
	return page_value(row->words, "disable_symlinks") != NULL;
}

static bool
is_cache(const struct page *page, const struct row *row)
{
	(void)page;
	return page_value(row->words, "open_file_cache") != NULL;
}

/* Debian's file says $document_root; what follows it may say otherwise. */
static bool
includes_document_root(const struct page *page, const char *words)
{
	static const char *const names[] = {
		"snippets/fastcgi-php.conf", "fastcgi.conf"
	};
	const char *file = page_value(words, "include");
	char *path = path_join(page->doctor->etc, "nginx/fastcgi.conf");
	struct str text = STR_INIT;
	bool is = false;

	for (size_t i = 0; file != NULL && i < 2; i++)
		is = is || str_ends_with(file, names[i]);
	is = is && file_read(&text, path, PAGE_MAX) == NULL &&
	    strstr(text.s, "$document_root$fastcgi_script_name") != NULL;
	str_release(&text);
	free(path);
	return is;
}

static bool
is_script(const struct page *page, const struct row *row)
{
	return str_starts_with(row->words, "fastcgi_param SCRIPT_FILENAME"
	    " $document_root") || includes_document_root(page, row->words);
}

static bool
is_pass(const struct page *page, const struct row *row)
{
	(void)page;
	return str_starts_with(row->words, "fastcgi_pass ");
}

/* Somebody who knows, in that block or within. */
static bool
has_realpath(const struct blocks *blocks, size_t block)
{
	for (size_t i = 0; i < blocks->n_rows; i++) {
		size_t at = blocks->rows[i].block;

		if (!str_starts_with(blocks->rows[i].words, "fastcgi_param"
		    " SCRIPT_FILENAME $realpath_root"))
			continue;
		while (at != block && at != NONE)
			at = blocks->up[at];
		if (at == block)
			return true;
	}
	return false;
}

/* What was told for another block is not told again. */
static void
tell_once(struct page *page, const struct row *row, bool *told,
    enum level level, const char *remedy, const char *what)
{
	if (!*told)
		page_tell(page, row->line, level, remedy, what);
	*told = true;
}

static void
look_at_block(struct page *page, const struct blocks *blocks, size_t block,
    bool *told)
{
	const struct row *links = counts(blocks, block, page, is_symlinks);
	const struct row *cache = counts(blocks, block, page, is_cache);
	const struct row *script = counts(blocks, block, page, is_script);
	const struct row *pass = counts(blocks, block, page, is_pass);

	if (links != NULL && strcmp(links->words, "disable_symlinks on") == 0)
		tell_once(page, links, &told[links - blocks->rows],
		    LEVEL_FAULT, "disable_symlinks off", "nginx does not"
		    " follow \"current\"");
	if (cache != NULL &&
	    str_starts_with(cache->words, "open_file_cache max="))
		tell_once(page, cache, &told[cache - blocks->rows],
		    LEVEL_NOTE, NULL, "files of the old release are served for"
		    " up to open_file_cache_valid after a deploy");
	/* Where there is no PHP, what it would get is nobody's harm. */
	if (script != NULL && (script->block == block ||
	    (pass != NULL && pass->block == block)) &&
	    !has_realpath(blocks, block) &&
	    !has_realpath(blocks, script->block))
		tell_once(page, script, &told[script - blocks->rows],
		    LEVEL_WARNING, "below it: fastcgi_param SCRIPT_FILENAME"
		    " $realpath_root$fastcgi_script_name; fastcgi_param"
		    " DOCUMENT_ROOT $realpath_root;", "PHP gets a path through"
		    " the symlink, and its caches serve files of the old"
		    " release after a deploy");
}

void
page_look_at_nginx(struct page *page)
{
	struct blocks blocks = { NULL, 0, NULL, 0 };
	bool *below, *told;

	parse(&blocks, page->text);
	below = xcalloc(blocks.n_rows + 1, sizeof(*below));
	told = xcalloc(blocks.n_rows + 1, sizeof(*told));
	for (size_t i = 0; i < blocks.n_rows; i++) {
		const struct row *row = &blocks.rows[i];

		if (is_root(page, row))
			below[i] = page_look_at_root(page, row->line, "root",
			    page_value(row->words, "root"));
	}
	for (size_t block = 0; block < blocks.n; block++) {
		const struct row *root = counts(&blocks, block, page,
		    is_root);

		if (root != NULL && below[root - blocks.rows])
			look_at_block(page, &blocks, block, told);
	}
	for (size_t i = 0; i < blocks.n_rows; i++)
		free(blocks.rows[i].words);
	free(blocks.rows);
	free(blocks.up);
	free(below);
	free(told);
}
