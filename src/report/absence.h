/*
 * absence - why there is no runner, as far as anybody knows.
 */
#ifndef ABSENCE_H
#define ABSENCE_H

#include <stdint.h>

#include "err.h"
#include "journal/hub.h"

/*
 * The error of a deploy that does not go on, with the last line of the
 * runners' own log, for those who cannot read that.
 */
const struct err *absence_error(const struct hub *hub, int64_t deploy);

#endif
