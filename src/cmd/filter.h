/*
 * filter - which deploys are meant, from the options of a command line.
 *
 *	err = filter_read(&filter, call);
 *	err = filter_each(call, &filter, cb, ctx);
 *	filter_release(&filter);
 *
 * What an option says is lent from the call; what a commit's name came to
 * is given.
 */
#ifndef FILTER_H
#define FILTER_H

#include <stdint.h>

#include "cmd/cmd.h"
#include "err.h"
#include "journal/deploy.h"

/* The words of --kind, ended by NULL. */
extern const char *const filter_kinds[];

/*
 * Read --author, --pusher, --state, --directive, --commit, --since, --until,
 * -n and --reverse. ERR_USAGE says which of them is wrong, and what it could
 * have been. The journal and, for the name of a branch or a tag, the
 * repository are asked.
 */
const struct err *filter_read(struct deploy_filter *filter,
    const struct call *call);
void filter_release(struct deploy_filter *filter);

/*
 * deploy_each() of those, of which with --path only deploys count that
 * changed what the site has there. A commit that is gone from the repository
 * has changed nothing that anybody could tell.
 */
const struct err *filter_each(const struct call *call,
    const struct deploy_filter *filter, deploy_cb cb, void *ctx);

/* The instant of an option, 0 without it; ERR_USAGE. */
const struct err *filter_instant(int64_t *at, const struct call *call,
    const char *option);

#endif
