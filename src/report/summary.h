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

#include "json.h"
#include "str.h"
#include "vec.h"

/*
 * Append the block of an "end" event. "results" has "NAME RESULT" for each
 * directive; "repo" is named in what people are told to type.
 */
void summary_add(struct str *out, const struct json_flat *end,
    const struct vec *results, const char *repo);

#endif
