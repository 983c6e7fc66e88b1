/*
 * offer - what git leaves to the proc-receive hook, and our answers.
 *
 * git shows every ref of a push that receive.procReceiveRefs names, and
 * moves none of them: the hook says what became of each. In pkt-lines:
 *
 *	git   version=1 NUL push-options atomic, flush
 *	hook  version=1 NUL push-options atomic, flush
 *	git   OLD NEW REF ..., flush; if there are options: OPTION ..., flush
 *	hook  ok REF | ng REF REASON ..., flush
 *
 * A capability is answered only where git offered it: an old client has
 * neither push options nor atomic pushes. Behind an "ok" stands "option
 * fall-through" for a ref that git is to move itself. Where a newer deploy
 * took the place of what was pushed, there is no "option new-oid": a client
 * would set its tracking branch to a commit that it does not have.
 *
 *	err = offer_read(&offer, STDIN_FILENO, STDOUT_FILENO);
 *	offer_refuse(&offer.refs[0], "deploy %d failed", 41);
 *	err = offer_write(&offer, STDOUT_FILENO);
 *	offer_release(&offer);
 */
#ifndef OFFER_H
#define OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "str.h"
#include "vec.h"

/* The longest reason of an "ng", in bytes: one line at the client's. */
#define OFFER_REASON_MAX 400

/* More refs, or push options, than this are refused. */
#define OFFER_REFS_MAX 100000
#define OFFER_OPTIONS_MAX 1000

enum answer {
	ANSWER_NONE,		/* not yet; written as an "ng" */
	ANSWER_OK,
	ANSWER_REFUSED,
	ANSWER_NOT_OURS		/* git is to move it itself */
};

struct offered {
	char *ref;
	char *old;
	char *new;
	enum answer answer;
	char *reason;		/* of a refusal */
	int64_t deploy;		/* what it asked for, or stops; 0: none */
	bool stops;		/* the deploy, instead */
	bool unsure;		/* what that came to; it is refused */
	char *environment;	/* of "deploy" */
};

struct offer {
	bool atomic;
	struct vec options;
	struct offered *refs;
	size_t n;
};

#define OFFER_INIT { .options = VEC_INIT }

void offer_release(struct offer *offer);

/*
 * Read the offer of a git; ERR_PROTOCOL for what none would say. The
 * version goes out before the refs come in.
 */
const struct err *offer_read(struct offer *offer, int in_fd, int out_fd);

/*
 * Refuse a ref. The reason becomes one line without control characters, of
 * at most OFFER_REASON_MAX bytes, cut as str_fit() does, with "..." then.
 */
void offer_refuse(struct offered *offered, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* All answers, as one message. */
const struct err *offer_write(const struct offer *offer, int out_fd);

#endif
