/*
 * linker - all that a listing keeps, linked from an old release.
 *
 * The folders are made first, then files are linked by several threads.
 * What cannot be linked (it is gone, it has too many links, it is not ours
 * to link) is left out, and found missing when the result is compared with
 * the manifest.
 */
#ifndef LINKER_H
#define LINKER_H

#include "err.h"
#include "release/checkout.h"
#include "release/listing.h"

const struct err *linker_link(const struct checkout *checkout,
    const struct listing *listing);

#endif
