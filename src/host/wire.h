/*
 * wire - what a runner and an agent say to each other.
 *
 * A message is a list of "KEY VALUE" pkt-lines closed by a flush. Keys are
 * lower-case words; values are bytes (they may hold newlines and spaces,
 * no NUL); a key may be repeated. A value longer than a pkt-line goes over
 * as "KEY+ PART" lines before its last "KEY PART".
 *
 * The runner sends a request, whose first line is "verb NAME"; the agent
 * answers with any number of "type output" and "type note" messages and
 * then exactly one "type result" or "type error" (with "code" and "text").
 * There is one request under way at a time, but for "verb stop", which may
 * come while a "run" is: it ends the command as a deadline would, and has
 * no answer of its own, so that one which comes too late does nothing. When
 * the runner closes, the agent ends what it is running and leaves.
 *
 *	verb       request               result
 *	hello      version               version
 *	open       repo root environment ended current (or empty)
 *	           host role* [threads]
 *	           [look]
 *	check      commit shared*        missing*
 *	room       commit export store   need-bytes need-inodes
 *	           writable*             free-bytes free-inodes edits
 *	checkout   release commit export way files folders written
 *	           store carry*          repaired carried*
 *	configure  release shared*       linked* seeded* made*
 *	hooks      release               hook*      (notes: what cannot run)
 *	run        release command|hook  exit signal timed-out
 *	           env* timeout memory   stopped ms [path sum]
 *	           nice [in-root]
 *	           [keep [once]]
 *	seal       release changed       -
 *	flip       release (may be "")   -
 *	verify     release               changed* count mend added
 *	                                 root* roots
 *	drift      release deep          item* mode* count root*
 *	           writable* [added]
 *	adopt      release title deep    commit parent taken left
 *	           writable* [added]     left-out*
 *	repair     release               saved*
 *	list       -                     release* partial* current
 *	busy       release*              busy* (name, space, pid and program)
 *	remove     release* [retire]     removed*   (notes: what resisted)
 *	fail       release* keep         -
 *	sweep      [spare]               swept*
 *
 * With "look 1" of "open" the root is neither locked nor changed, and only
 * "drift" and "adopt" are asked for then. "retire 1" keeps the last release
 * as the spare, which "spare 1" of "sweep" removes: see store.h. "verify"
 * touches nothing, and counts what differs: "mend" of what "repair" can put
 * right, "count" of what it cannot, which is "changed", as far as named, and
 * "added" of what there is besides; "roots" counts what is no other content
 * and only root can take back, and "root" is what root is to run, as far as
 * named, behind a sudo. "drift" has it for each of its items that is so. Of
 * what is in a folder of somebody else it is told when that has been given
 * back. An item is a kind, since when (epoch milliseconds) and whose it is (-1
 * for what is gone), the sum of what is true of it (WIRE_ITEM_), and the path,
 * with spaces between; an answer has 10,000 at the most, and counts them all.
 * For each that has another mode there is a "mode", in words, in the same
 * order. With "added 0" what was added is passed over, but for what is in a
 * folder that stands in the place of a file.
 * "adopt" takes what "drift" would find then, and all of it, but for "left"
 * paths that no commit can hold. "repair" puts right what the last "adopt"
 * took and nobody has changed since; what was in the place of a link to
 * shared/ is in the file "saved" then.
 *
 * "edits" of "room" is how many items "drift" would have of what is live, -1
 * when that cannot be told.
 *
 * "ended" of "open" is how many processes of an interrupted command were
 * still there, and were ended; "left" is a line about each that was not,
 * because it may be a daemon: see noted.h.
 *
 * "run" executes "command" with /bin/sh -c, or the release's own
 * deploy/HOOK when "hook" is given, in the release folder (with "in-root 1"
 * in the root, for what comes before the release); its output comes as
 * "type output" messages, one line each in "text", without the newline.
 * A line longer than WIRE_LINE_MAX comes in pieces, a NUL as "\x00", and
 * what exceeds WIRE_OUTPUT_MAX bytes or WIRE_LINES_MAX lines is left out,
 * which a note tells at the end.
 * With "keep NAME" stdout goes to the file of that name beside the
 * release's other records instead, once the command has exited with 0; the
 * result then has its "path" and, as "sum", its SHA-256. With "once" a
 * record that is there is left as it is, and nothing is run. The agent adds
 * SLIPWAY_HOST, SLIPWAY_ROLES and the base environment; "env NAME=value"
 * adds the rest, and replaces what has that name.
 *
 * Numbers are decimal, "export" is 0 or 1, "timeout" is in milliseconds,
 * "memory" in bytes (0: no limit). "exit" is -1 when a signal ended it.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "pkt.h"

/* What both sides must agree on. */
#define WIRE_VERSION 1

/* What an item of "drift" may be. */
#define WIRE_ITEM_BUILT 1	/* only commands had made it */
#define WIRE_ITEM_LEFT_OUT 2	/* no commit can hold it */
#define WIRE_ITEM_SHARED 4	/* in the place of a link to shared/ */
#define WIRE_ITEM_PART 8	/* a commit can hold a part of its mode */

/* The largest message that is accepted, in bytes. */
#define WIRE_MESSAGE_MAX (16 * 1024 * 1024)

/* The longest line of output, and the most output of a "run", in bytes. */
#define WIRE_LINE_MAX 8192
#define WIRE_OUTPUT_MAX (8 * 1024 * 1024)

/* The most lines: each has its own entry in the event log. */
#define WIRE_LINES_MAX 50000

struct message {
	struct message_line {
		char *key;
		char *value;
		size_t len;		/* of the value */
	} *lines;
	size_t n;
	size_t size;
	size_t taken_bytes;		/* by message_take() so far */
};

#define MESSAGE_INIT { NULL, 0, 0, 0 }

/* The longest key, in bytes: lower-case letters, digits, '-'. */
#define WIRE_KEY_MAX 64

void message_release(struct message *message);

void message_add(struct message *message, const char *key,
    const char *value);
void message_addf(struct message *message, const char *key,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void message_add_int(struct message *message, const char *key,
    int64_t value);

/* The first value of a key, lent, or NULL. */
const char *message_get(const struct message *message, const char *key);
int64_t message_int(const struct message *message, const char *key,
    int64_t otherwise);

/* Every value of a key, pushed onto "values". */
struct vec;
void message_all(const struct message *message, const char *key,
    struct vec *values);

/* Append the framed message to "out". */
void message_frame(const struct message *message, struct str *out);

/* Write it to a blocking descriptor. */
const struct err *message_write(const struct message *message, int fd);

/*
 * Collect one message from the reader's buffer: "*whole" is true when it
 * is complete; false means that more must be read first, and the half
 * stays in "message". PKT_END between messages is "*closed". The caller
 * releases the message before the next one. ERR_PROTOCOL for a message
 * that is empty, too large or cut short, for a line without a key, and for
 * a NUL in a value; the stream is of no use after that.
 */
const struct err *message_take(struct message *message,
    struct pkt_reader *reader, bool *whole, bool *closed);

/* Wait for one whole message on a blocking descriptor. */
const struct err *message_read(struct message *message,
    struct pkt_reader *reader, int fd, bool *closed);

#endif
