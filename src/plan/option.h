/*
 * option - the one table of everything that slipway.ini can say.
 *
 * A row names the section, the key, the type, the unit, the default and
 * one line of help. The table parses and validates (config.c), writes the
 * commented sample that init installs, and is what the manual page is
 * checked against.
 */
#ifndef OPTION_H
#define OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "str.h"

enum option_type {
	OPTION_NAME,		/* letters, digits, '-', '_', '.' */
	OPTION_TEXT,		/* any one line */
	OPTION_ROOT,		/* absolute path of a folder */
	OPTION_BRANCH,		/* a branch name, without refs/heads/ */
	OPTION_BRANCHES,	/* such names, with '*' for any text */
	OPTION_TAGS,		/* the same for refs/tags/ */
	OPTION_COUNT,		/* whole number, 0 or more */
	OPTION_NICE,		/* whole number, 0 to 19 */
	OPTION_BOOL,		/* yes or no */
	OPTION_DURATION,	/* 90, 90s, 5m, 2h: milliseconds inside */
	OPTION_SIZE,		/* 512M, 2G: bytes inside; 0: no limit */
	OPTION_WORDS,		/* names separated by white space */
	OPTION_PATHS,		/* relative paths; a slash ends a folder */
	OPTION_PHASE,		/* one of the phases */
	OPTION_DIRECTIVE,	/* lower-case letters, digits, '_' */
	OPTION_WHEN,		/* always, or changed GLOB... */
	OPTION_COMMAND,		/* given to /bin/sh -c */
	OPTION_CHOICE,		/* one of the words in "choices" */
	OPTION_ENV		/* env.NAME: any value */
};

/* Sections, as bits: [app] rows are mostly valid in [environment], too. */
enum option_section {
	SECTION_APP = 1,
	SECTION_ENVIRONMENT = 2,
	SECTION_HOST = 4,
	SECTION_ACTION = 8
};

#define OPTION_CHOICES_MAX 4

struct option {
	const char *key;		/* "env." for env.NAME */
	unsigned int sections;		/* where it may stand */
	enum option_type type;
	size_t app_offset;		/* in struct settings, for what may
					 * stand in [app]; see config.h */
	size_t offset;			/* in struct environment, host or
					 * action, for the rest */
	bool required;			/* must be set in its section */
	int64_t least;			/* of OPTION_COUNT */
	int64_t most;			/* the same; 0: what a count may be */
	/* The words of OPTION_CHOICE, ended by NULL. */
	const char *choices[OPTION_CHOICES_MAX + 1];
	const char *unit;		/* "seconds", "bytes", or NULL */
	const char *otherwise;		/* default as written, NULL: none */
	const char *help;		/* one line */
	const char *example;		/* a value that a sample can show */
};

/* The NAME of env.NAME in examples. */
#define OPTION_ENV_EXAMPLE "APP_ENV"

/* Rows in the order of the sample; "*n" of them. */
const struct option *option_table(size_t *n);

/* The row for a key in a section, or NULL; env.NAME finds "env.". */
const struct option *option_find(enum option_section section,
    const char *key);

/* The nearest key of that section for a typo, or NULL. */
const char *option_nearest(enum option_section section, const char *key);

/* What a value of this row looks like: "yes or no", "inside, any or none". */
void option_add_type(struct str *out, const struct option *row);

/* True for one of the words that a row of OPTION_CHOICE takes. */
bool option_has_choice(const struct option *row, const char *word);

/* The word in brackets: "app", "environment", "host", "action". */
const char *option_section_name(enum option_section section);

/*
 * A complete slipway.ini: what init was told is set, every other key of
 * the table stands there as a comment with its help and default. A line
 * that begins with "; " is one that can be had by taking that away; words
 * begin with "#".
 */
void option_sample(struct str *out, const char *app, const char *root,
    const char *environment, const char *branch, bool transactional);

#endif
