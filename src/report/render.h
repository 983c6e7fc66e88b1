/*
 * render - the event log of a deploy as lines for people.
 *
 * One event becomes none, one or several lines of plain text, every byte
 * that came from outside made visible. The same text goes to a pushing
 * client, to slipway deploy and to slipway show. A silent phase is one
 * line with its time; a phase that runs commands is a heading, their
 * output, and the time:
 *
 *	deploy 41: main 1a2b3c4 to production
 *	  checkout      31 ms  244 files
 *	  migrate
 *	    updb: drush updatedb -y
 *	    | 3 updates applied
 *	  migrate       1.21 s
 *	  symlink       1 ms
 *	production: release 20261120101500 is live
 *	  commit        1a2b3c4 monthly updates -updb- -cc-
 *	  deploy        41, prepared in 812 ms, window 140 ms
 *	  directives    updb done, cc done
 *	  migrations    ran
 *	  maintenance   not used
 *	  roll back     slipway rollback -C /srv/shop.git -e production
 */
#ifndef RENDER_H
#define RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "str.h"

struct render;

/* "repo" is named in what the summary tells people to type. */
struct render *render_new(const char *repo);
void render_free(struct render *render);

/*
 * Append the text of one line of the log (whole lines, each with its
 * newline) to "out". A line that is no event is left out.
 */
void render_line(struct render *render, const char *line, size_t len,
    struct str *out);

/* The state that the last "state" or "end" event told, "" before one. */
const char *render_state(const struct render *render);

/* True after "end" or "superseded": nothing follows in this log. */
bool render_is_over(const struct render *render);

/* True when the last line said that the deploy waits, and for what. */
bool render_waits(const struct render *render);

/* The deploy that superseded this one, 0 for none. */
int64_t render_superseded_by(const struct render *render);

#endif
