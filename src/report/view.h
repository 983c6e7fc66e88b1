/*
 * view - show a deploy to somebody who may go away at any moment.
 *
 * A view follows the event log and writes the rendered text to a
 * descriptor. It writes only what poll(2) says the descriptor takes at
 * once, so a client that does not read stops the view and nothing else:
 * the log on disk is the buffer. Once the deploy is over, a client that
 * still does not read is given VIEW_PATIENCE_MS, and then left. (A view
 * that does not follow has nobody to wait for, and so no such limit.)
 *
 * A view also keeps the deploy going: while it waits and no runner holds
 * the environment's lock, it starts one (the runner may have been killed).
 * A deploy that was superseded is followed into the one that took its
 * place. Where the log is lost, the journal says when the deploy is over.
 */
#ifndef VIEW_H
#define VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "journal/hub.h"

#define VIEW_PATIENCE_MS 800

/*
 * The same for a view that began when all was over: the one before it has
 * waited already, and both together leave within two seconds.
 */
#define VIEW_LATE_MS 500

enum view_part {
	VIEW_ALL,		/* from the first line to the last */
	VIEW_PREPARE,		/* up to the state "prepared", or the end */
	VIEW_ACTIVATE		/* what VIEW_PREPARE left */
};

/*
 * Start a runner for an environment; set by main() and the hooks to the
 * function of the deploy room that does it.
 */
typedef const struct err *(*view_wake_cb)(const struct hub *hub,
    const char *environment);

struct view_spec {
	const struct hub *hub;
	int64_t deploy;
	const char *environment;
	enum view_part part;
	int out_fd;
	view_wake_cb wake;	/* NULL: only watch */
	bool follow;		/* wait for what comes; else what is there */
	const int64_t *apart;	/* deploys that have a view of their own: */
	size_t n_apart;		/* not followed into */
};

/*
 * Returns when the part is shown, or the reader is gone. "*last" is the
 * number of the deploy that was shown in the end (the superseding one).
 * An error is one of "wake", that no runner stays alive, or that neither
 * the log nor the journal could be read for 20 seconds; what becomes of the
 * deploy is none.
 */
const struct err *view_deploy(const struct view_spec *spec, int64_t *last);

#endif
