/*
 * signing - what init does so that git takes signed pushes.
 *
 * The seed of the numbers that git gives out to those who sign is drawn at
 * random and goes into the repository's own config, which from then on only
 * its owner can read. Whose signatures are good is told by a file beside
 * slipway.ini, empty at first. What is configured already, for this
 * repository or for all of the account, stays as it is.
 */
#ifndef SIGNING_H
#define SIGNING_H

#include "cmd/gitfile.h"
#include "err.h"
#include "vec.h"

/* What was not so before is pushed onto "done". */
const struct err *signing_configure(const char *repo, struct gitfile *file,
    struct vec *done);

#endif
