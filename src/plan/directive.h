/*
 * directive - words in commit messages that ask for an action.
 *
 *	monthly updates -updb- -sync:files-
 *
 * A directive is "-name-" or "-name:argument-". A name is lower-case
 * letters, digits and '_'. No letter, digit, '-' or '_' touches it on the
 * outside (UTF-8 letters and bytes that are not UTF-8 count as letters),
 * so that "a-b-c", "--force-" and "-----" are none. An argument is one or
 * more printable characters without white space; it ends at the first '-'
 * that nothing of the above follows.
 *
 * The trailer "Deploy: updb, sync:files" and the push option "updb" or
 * "sync:files" mean the same.
 */
#ifndef DIRECTIVE_H
#define DIRECTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "str.h"
#include "vec.h"

/* The longest name and the longest argument, in bytes. */
#define DIRECTIVE_NAME_MAX 40
#define DIRECTIVE_ARGUMENT_MAX 1000

/* No action can have this name: "-skip-" in the tip deploys nothing. */
#define DIRECTIVE_SKIP "skip"

struct directive {
	char *name;
	char *argument;		/* "" without one */
	char *commit;		/* full name; "" for options and -d */
	const char *source;	/* "message", "trailer", "option", "cli" */
	int64_t deploy;		/* an older one, for which that was asked and
				 * which did not go live; 0: this one */
};

struct directives {
	struct directive *v;
	size_t n;
	size_t size;		/* allocated entries */
	size_t *slots;		/* hash table of index + 1, 0: free */
	size_t n_slots;		/* a power of two, or 0 */
};

#define DIRECTIVES_INIT { NULL, 0, 0, NULL, 0 }

void directives_release(struct directives *list);

/*
 * Add one; an equal one (name, argument, commit) is not added again.
 * "source" must be a string constant. Returns where in "v" it is.
 */
size_t directives_add(struct directives *list, const char *name,
    const char *argument, const char *commit, const char *source);

/*
 * Add all that a message asks for, its Deploy: trailers included, whose
 * words are separated by commas and white space; a word there that is no
 * directive adds nothing. The time is linear in the length.
 */
const struct err *directives_scan(struct directives *list,
    const char *message, const char *commit);

/* The same without the trailers. */
void directives_scan_text(struct directives *list, const char *text,
    const char *commit);

/*
 * Add one word as it stands in a trailer, a push option or behind -d:
 * "updb", "-updb-" or "sync:files". ERR_USAGE when it is none.
 */
const struct err *directives_add_word(struct directives *list,
    const char *word, const char *commit, const char *source);

bool directives_has(const struct directives *list, const char *name);

/*
 * All arguments of a directive, each once, joined by spaces, appended.
 */
void directives_argument(const struct directives *list, const char *name,
    struct str *out);

#endif
