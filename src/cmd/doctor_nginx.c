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

/* What is asked of each block. */
enum kind {
	KIND_ROOT,
	KIND_SYMLINKS,
	KIND_CACHE,
	KIND_SCRIPT,
	KIND_PASS,
	KINDS
};

struct row {
	char *words;		/* with one space between them */
	size_t line, block;
};

struct block {
	size_t up;		/* the one around it; of the first, NONE */
	size_t counts[KINDS];	/* the row that counts here, or NONE */
	bool has_realpath;	/* somebody who knows, here or within */
};

struct blocks {
	struct block *v;	/* each behind the one around it */
	size_t n;
	struct row *rows;
	size_t n_rows;
};

static void
open_block(struct blocks *blocks, size_t up)
{
	struct block *block;

	blocks->v = xreallocarray(blocks->v, blocks->n + 1,
	    sizeof(*blocks->v));
	block = &blocks->v[blocks->n++];
	block->up = up;
	for (int kind = 0; kind < KINDS; kind++)
		block->counts[kind] = NONE;
	block->has_realpath = false;
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

static bool
is_lua(const char *words)
{
	static const char suffix[] = "_by_lua_block";
	size_t len = strcspn(words, " "), end = sizeof(suffix) - 1;

	return len > end && strncmp(words + len - end, suffix, end) == 0;
}

/* The length of "[==[ text ]==]", however many signs; 0: there is none. */
static size_t
long_text_len(const char *s)
{
	size_t signs = *s == '[' ? strspn(s + 1, "=") : 0;
	const char *p = s + signs + 1;

	if (*s != '[' || *p != '[')
		return 0;
	while (*++p != '\0') {
		if (*p == ']' && strspn(p + 1, "=") == signs &&
		    p[signs + 1] == ']')
			return (size_t)(p - s) + signs + 2;
	}
	return (size_t)(p - s);
}

/* A text in quotes, from its first to behind its last. */
static const char *
skip_quoted(const char *p)
{
	char quote = *p++;

	for (; *p != '\0' && *p != quote; p++)
		p += *p == '\\' && p[1] != '\0';
	return p + (*p != '\0');
}

/* Lua, to behind the brace that ends it: none in its texts and comments. */
static void
skip_lua(const char **at, size_t *line)
{
	const char *p = *at;
	size_t depth = 1;

	while (*p != '\0' && depth > 0) {
		bool comment = str_starts_with(p, "--");
		size_t len;

		p += comment ? 2 : 0;
		len = long_text_len(p);
		if (len > 0) {
			p += len;
		} else if (comment) {
			p += strcspn(p, "\n");
		} else if (*p == '"' || *p == '\'') {
			p = skip_quoted(p);
		} else {
			depth += *p == '{';
			depth -= *p++ == '}';
		}
	}
	for (; *at < p; (*at)++)
		*line += **at == '\n';
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
		} else if (*at == '{' && is_lua(words.s)) {
			at++;
			skip_lua(&at, &line);
			str_clear(&words);
		} else if (strchr(";{}", *at) != NULL) {
			add_row(blocks, &words, first, block);
			if (*at == '{') {
				open_block(blocks, block);
				block = blocks->n - 1;
			} else if (*at == '}' &&
			    blocks->v[block].up != NONE) {
				block = blocks->v[block].up;
			}
			at++;
		} else {
			first = words.len == 0 ? line : first;
			take_word(&words, &at, &line);
		}
	}
	str_release(&words);
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

/* PHP's path begins with a variable: "$name" or "${name}". */
static bool
is_script_in(const struct row *row, const char *name, const char *braced)
{
	const char *path = page_value(row->words, "fastcgi_param"
	    " SCRIPT_FILENAME");

	return path != NULL && (str_starts_with(path, name) ||
	    str_starts_with(path, braced));
}

static bool
is_script(const struct page *page, const struct row *row)
{
	return is_script_in(row, "$document_root", "${document_root}") ||
	    includes_document_root(page, row->words);
}

static bool
is_realpath(const struct row *row)
{
	return is_script_in(row, "$realpath_root", "${realpath_root}");
}

static bool
is_pass(const struct page *page, const struct row *row)
{
	(void)page;
	return str_starts_with(row->words, "fastcgi_pass ");
}

static void
mark_realpath(struct blocks *blocks, size_t block)
{
	for (; block != NONE && !blocks->v[block].has_realpath;
	    block = blocks->v[block].up)
		blocks->v[block].has_realpath = true;
}

typedef bool (*row_cb)(const struct page *page, const struct row *row);

/* Each row and each block once: a page may have thousands. */
static void
find_what_counts(struct blocks *blocks, const struct page *page)
{
	static const row_cb is[KINDS] = {
		[KIND_ROOT] = is_root,
		[KIND_SYMLINKS] = is_symlinks,
		[KIND_CACHE] = is_cache,
		[KIND_SCRIPT] = is_script,
		[KIND_PASS] = is_pass,
	};

	for (size_t i = 0; i < blocks->n_rows; i++) {
		const struct row *row = &blocks->rows[i];
		size_t *counts = blocks->v[row->block].counts;

		for (int kind = 0; kind < KINDS; kind++) {
			if (counts[kind] == NONE && is[kind](page, row))
				counts[kind] = i;
		}
		if (is_realpath(row))
			mark_realpath(blocks, row->block);
	}
	for (size_t i = 1; i < blocks->n; i++) {
		struct block *block = &blocks->v[i];

		for (int kind = 0; kind < KINDS; kind++) {
			if (block->counts[kind] == NONE)
				block->counts[kind] =
				    blocks->v[block->up].counts[kind];
		}
	}
}

/* The row that counts in a block; NULL: none does. */
static const struct row *
counts(const struct blocks *blocks, size_t block, enum kind kind)
{
	size_t row = blocks->v[block].counts[kind];

	return row == NONE ? NULL : &blocks->rows[row];
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
	const struct row *links = counts(blocks, block, KIND_SYMLINKS);
	const struct row *cache = counts(blocks, block, KIND_CACHE);
	const struct row *script = counts(blocks, block, KIND_SCRIPT);
	const struct row *pass = counts(blocks, block, KIND_PASS);

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
	    !blocks->v[block].has_realpath &&
	    !blocks->v[script->block].has_realpath)
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
	find_what_counts(&blocks, page);
	below = xcalloc(blocks.n_rows + 1, sizeof(*below));
	told = xcalloc(blocks.n_rows + 1, sizeof(*told));
	for (size_t i = 0; i < blocks.n_rows; i++) {
		const struct row *row = &blocks.rows[i];

		if (is_root(page, row))
			below[i] = page_look_at_root(page, row->line, "root",
			    page_value(row->words, "root"));
	}
	for (size_t block = 0; block < blocks.n; block++) {
		const struct row *root = counts(&blocks, block,
		    KIND_ROOT);

		if (root != NULL && below[root - blocks.rows])
			look_at_block(page, &blocks, block, told);
	}
	for (size_t i = 0; i < blocks.n_rows; i++)
		free(blocks.rows[i].words);
	free(blocks.rows);
	free(blocks.v);
	free(below);
	free(told);
}
