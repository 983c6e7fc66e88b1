/*
 * chained - the hook that stood in the repository before ours.
 *
 * init renames an existing hook to NAME.before-slipway beside ours; ours
 * runs it with the same arguments and the same standard input.
 */
#ifndef CHAINED_H
#define CHAINED_H

#include <stddef.h>

#include "err.h"

#define CHAINED_SUFFIX ".before-slipway"

/*
 * Run the chained hook of the program that was started as argv[0], if
 * there is one. Its output goes where ours goes. ERR_REFUSED when it does
 * not exit with 0.
 */
const struct err *chained_run(char *const *argv, const void *input,
    size_t input_len);

/*
 * The repository's own update hook, which stands beside the hook of that
 * path: git does not run it for a ref that it leaves to proc-receive.
 * ERR_REFUSED with git's words when it does not exit with 0.
 */
const struct err *chained_update(const char *hook, const char *ref,
    const char *old, const char *new);

#endif
