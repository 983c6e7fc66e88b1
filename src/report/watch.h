/*
 * watch - show every deploy that a push asked for, one after the other.
 *
 * They run side by side where they belong to different environments; a
 * reader who waits for the first finds the others further on. Several refs of
 * one push may end in one deploy: that is shown once, behind a line for each
 * that it took the place of.
 */
#ifndef WATCH_H
#define WATCH_H

#include "err.h"
#include "journal/hub.h"
#include "report/view.h"

/*
 * hub->config and hub->journal are there; "push" 0 shows nothing. What
 * proc-receive has shown is not shown again.
 */
const struct err *watch_push(const struct hub *hub, int64_t push,
    enum view_part part, view_wake_cb wake);

/*
 * Show one deploy from its first line to its last, and return when it is
 * over: also when its reader has gone.
 */
const struct err *watch_deploy(const struct hub *hub, int64_t number,
    const char *environment, view_wake_cb wake);

#endif
