/*
 * vetted - which tree was found fit last, so that the next look is short.
 *
 *	shop.git/slipway/production.vetted
 *
 * holds one line: a sum of the rules that held, the tree, how many files and
 * bytes it has, and a sum of all that. It is a hint and nothing else: where
 * it is missing, torn, of other rules or of another version, everything is
 * looked at. So it is written in place, and not waited for.
 */
#ifndef VETTED_H
#define VETTED_H

#include "journal/hub.h"
#include "release/vet.h"

/* What is known for these rules; nothing ("" as tree) in any other case. */
void vetted_read(const struct hub *hub, const struct environment *env,
    const struct vet_rules *rules, struct vet_known *known);

/* What cannot be written is not kept. */
void vetted_write(const struct hub *hub, const struct environment *env,
    const struct vet_rules *rules, const struct vet_known *known);

#endif
