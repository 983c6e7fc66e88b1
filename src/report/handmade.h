/*
 * handmade - a word about a live release that was edited by hand.
 *
 * The release on this machine is compared with its manifest, by stat data
 * as far as these go; see drift.h. Nothing is locked and nothing written.
 */
#ifndef HANDMADE_H
#define HANDMADE_H

#include <stdint.h>

#include "plan/config.h"
#include "str.h"

/*
 * "3 files were edited by hand, css/site.css among them (slipway drift)",
 * appended, and their number; nothing for 0. -1: that is not known, since
 * nothing is live here or nobody can vouch for it. "which" is that of
 * config_which(), behind " -C DIR" where that is needed.
 */
int64_t handmade_add(struct str *out, const struct environment *env,
    const char *which);

#endif
