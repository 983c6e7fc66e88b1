/*
 * summary - what is said when a deploy is over.
 *
 * Whatever happened, the block says four things: which release is live,
 * whether migrations ran, whether they were undone, and whether the
 * maintenance page is up.
 *
 *	error: deploy 42 failed at migrate (updb): exit 1
 *	  live          release 20261119090000 is still live (1a2b3c4)
 *	  migrations    ran, undone
 *	  maintenance   not used
 *	  again         slipway retry 42 -C /srv/shop.git
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include <stdbool.h>

#include "json.h"
#include "str.h"
#include "vec.h"

/*
 * From here on whoever reads is not on this machine: commands are told to be
 * for the server, and what git alone can do is named.
 */
void summary_for_remote(bool remote);

/* And whoever reads reads of one that others have followed. */
void summary_for_past(bool past);

/*
 * Append the block of an "end" event. "results" has "NAME RESULT" for each
 * directive; "repo" is named in what people are told to type.
 */
void summary_add(struct str *out, const struct json_flat *end,
    const struct vec *results, const char *repo);

/*
 * End the line of a "superseded" event whose commit is not in what took its
 * place, with what to do about it.
 */
void summary_add_left_out(struct str *out,
    const struct json_flat *superseded, const char *repo);

#endif
