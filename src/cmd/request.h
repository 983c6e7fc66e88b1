/*
 * request - which commit is meant, and what is asked for beside it.
 *
 *	request_fill(call, &request, "deploy");
 *	err = request_commit(call, &request);
 *	if (err == NULL)
 *		err = request_directives(call, &options);
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "cmd/cmd.h"
#include "err.h"
#include "journal/deploy.h"

/* Where, of which kind, and who asks. */
void request_fill(const struct call *call, struct deploy *request,
    const char *kind);

/*
 * The first word of the line, or the tip of the environment's branch: its
 * commit, author and subject, and the ref that it is, if it is one. Where a
 * branch moves with its deploys, "ref_old" is what it has to be then.
 */
const struct err *request_commit(const struct call *call,
    struct deploy *request);

/*
 * What -d asks for. ERR_USAGE for a name that no action takes, and for
 * -skip-.
 */
const struct err *request_directives(const struct call *call,
    struct directives *list);

#endif
