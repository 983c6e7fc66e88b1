/*
 * push - one git push: who, when, which refs from what to what.
 *
 *	received --> landed	post-receive saw its refs move
 *	         +-> refused	the gate said no, with the reason
 *	         `-> unlanded	its refs did not move: git turned it away,
 *				its receive-pack died, or what it asked a
 *				transactional environment for did not go live
 *
 * One that is "received" is under way, or its receive-pack died and nobody
 * has looked since.
 */
#ifndef PUSH_H
#define PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "journal/journal.h"
#include "journal/pusher.h"
#include "vec.h"

struct push_ref {
	char *ref;
	char *old;		/* 40 zeros: created */
	char *new;		/* 40 zeros: deleted */
	bool skip;		/* -skip- in the tip commit, or as option */
	char *author;		/* of the tip commit, if it is deployed; or */
	char *subject;		/* NULL */
};

struct push {
	int64_t id;		/* 0: not in the journal yet */
	int64_t at;
	char *pusher;
	char *origin;		/* the client's address, NULL: this machine */
	char *receiver;		/* "PID START" of its git-receive-pack */
	struct pusher who;	/* how "pusher" is known; push_get() does
				 * not read it */
	struct vec options;	/* push options */
	struct push_ref *refs;
	size_t n_refs;
};

#define PUSH_INIT { .options = VEC_INIT }

void push_release(struct push *push);

void push_add_ref(struct push *push, const char *old, const char *new,
    const char *ref);

/*
 * Write a received push down, and "who" beside it; its number through
 * "push->id".
 */
const struct err *push_write(struct journal *journal, struct push *push);

const struct err *push_refuse(struct journal *journal, int64_t id,
    const char *reason);

/*
 * The refs that are in "push" did move. Nothing changes for a push that has
 * landed already.
 */
const struct err *push_land(struct journal *journal,
    const struct push *push);

/*
 * A push that has landed, of which something is not deployed, for this
 * reason. Nothing changes for any other push.
 */
const struct err *push_withhold(struct journal *journal, int64_t id,
    const char *reason);

/*
 * No ref of it moved, for this reason. Nothing changes for a push of which
 * something else was written meanwhile.
 */
const struct err *push_unland(struct journal *journal, int64_t id,
    const char *reason);

/* The number of the newest push, 0: there is none. */
const struct err *push_newest(struct journal *journal, int64_t *id);

/*
 * The oldest push after "after" that is still "received": its number
 * through "*id", 0 when there is none.
 */
const struct err *push_next_open(struct journal *journal, int64_t after,
    int64_t *id);

/*
 * The receivers of all pushes that are still "received" and offer to move a
 * ref, any ref with NULL, pushed onto "receivers".
 */
const struct err *push_receivers(struct journal *journal, const char *ref,
    struct vec *receivers);

/*
 * The refs that pushes before "id" which are still "received" offer to move,
 * pushed onto "refs".
 */
const struct err *push_open_refs(struct journal *journal, int64_t id,
    struct vec *refs);

/*
 * What later pushes tell of a ref that push "id" offered to move. "*found":
 * one of them found it moved. "*again": before that, one of them wanted it
 * to be the same, forced perhaps, and was not turned away: so it is that
 * one's to say what became of it.
 */
const struct err *push_ask_later(struct journal *journal, int64_t id,
    const struct push_ref *ref, bool *found, bool *again);

/*
 * What the pusher saw of a ref, given; NULL: the push does not have it.
 */
const struct err *push_get_old(struct journal *journal, int64_t id,
    const char *ref, char **old);

/* Did git move a ref of it? One that waits for its deploy has it moved then. */
const struct err *push_get_landed(struct journal *journal, int64_t id,
    const char *ref, bool *landed);

/* True through "*has" when a push has ever moved that ref. */
const struct err *push_has_landed(struct journal *journal, const char *ref,
    bool *has);

/* True through "*is" when the newest push of this commit to a ref said so. */
const struct err *push_was_skipped(struct journal *journal, const char *ref,
    const char *commit, bool *is);

/*
 * The newest push of a receive-pack: its number through "*id", 0 when the
 * journal knows none.
 */
const struct err *push_by_receiver(struct journal *journal,
    const char *receiver, int64_t *id);

/*
 * Read a push back, refs and options included. "*open" is true while it is
 * "received": nobody has marked it as landed or refused. ERR_NOT_FOUND.
 */
const struct err *push_get(struct journal *journal, int64_t id,
    struct push *push, bool *open);

/* The client's address of a push, given; NULL: this machine. */
const struct err *push_get_origin(struct journal *journal, int64_t id,
    char **origin);

/*
 * The newest push that was refused since the last deploy was requested, and
 * since a push to one of its refs has landed: "push->id" is 0 when there is
 * none; the reason is given. The refs and options are not read.
 */
const struct err *push_get_refused(struct journal *journal,
    struct push *push, char **reason);

/*
 * Fill "ref" with what the gate has found out about it: skip, author and
 * subject. Nothing changes when the journal does not have that ref.
 */
const struct err *push_get_ref(struct journal *journal, int64_t id,
    struct push_ref *ref);

#endif
