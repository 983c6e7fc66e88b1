/*
 * absence - why there is no runner, as far as anybody knows.
 */
#ifndef ABSENCE_H
#define ABSENCE_H

#include <stdint.h>

#include "err.h"
#include "journal/deploy.h"
#include "journal/hub.h"
#include "str.h"

/*
 * The error of a deploy that does not go on, with the last line of the
 * runners' own log, for those who cannot read that.
 */
const struct err *absence_error(const struct hub *hub, int64_t deploy);

/*
 * The end of a deploy whose log does not tell it, as the journal has it:
 * two lines, appended.
 */
void absence_last_word(struct str *out, const struct hub *hub,
    const struct deploy *deploy);

#endif
