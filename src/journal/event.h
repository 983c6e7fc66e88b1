/*
 * event - the event log of a deploy: slipway/log/NUMBER.jsonl.
 *
 * One JSON object a line, appended as things happen and rendered by every
 * face (push output, slipway show, later a page). All have "at" (ISO 8601)
 * and "event"; the rest by kind:
 *
 *	requested   deploy environment kind commit ref pusher subject?
 *	waiting     for state before	deploy that is under way and its
 *	            state or phase; how many more are asked for before this;
 *	            once more when that changes
 *	superseded  by holds		the deploy that took its place, and
 *	            whether that holds its commit
 *	started     release previous commit subject author commits
 *	directive   name argument commit source action nearest alike
 *	            elsewhere
 *	            (action null: nothing takes it here)
 *	warning     text
 *	phase       phase		begins
 *	phase_done  phase ms ok note
 *	step        phase action host run	begins
 *	output      phase action host text
 *	step_done   phase action host ok exit signal timed_out stopped
 *	            ms
 *	will_undo   deploy action host run	a rollback is going to undo this
 *	undo        action host run	begins
 *	undo_done   action host ok
 *	cancel      by			somebody wants it to stop
 *	state       state
 *	result      name result		what a directive did
 *	end         state environment deploy kind release commit subject
 *	            error prepare_ms window_ms migrated maintenance
 *	            live live_commit previous cancelled_by
 *	            leave not_undone backups undone_by
 *
 * "end" is the last line. "live" is the release that is live at the end,
 * "leave" the number of commits that were live and are not any more.
 *
 * A line that cannot be written is lost to the viewers, never to the
 * journal, and stops no deploy: the first such error is kept.
 */
#ifndef EVENT_H
#define EVENT_H

#include <stdint.h>

struct event_log;

/* Open the log of a deploy for appending. Always gives a log. */
struct event_log *event_log_open(const char *path);

/* Why the first lost line was lost, lent; NULL: none was. */
const char *event_log_error(const struct event_log *log);

void event_log_close(struct event_log *log);

/*
 * Add one line. "types" has a letter for each pair that follows: 's' key
 * and text (NULL: null), 'i' key and int64_t, 'b' key and int as boolean.
 */
void event_add(struct event_log *log, const char *event, const char *types,
    ...);

#endif
