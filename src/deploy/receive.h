/*
 * receive - a push as git hands it to its hooks, and what post-receive
 * does with it: the refs have moved, so ask for what their environments
 * deploy, and say what becomes of each ref.
 */
#ifndef RECEIVE_H
#define RECEIVE_H

#include "err.h"
#include "journal/hub.h"
#include "journal/push.h"
#include "repo.h"
#include "str.h"
#include "vec.h"

/*
 * Fill a push from the hook's standard input and environment: who, from
 * where, its options, its refs. ERR_PROTOCOL for input that git would not
 * send, ERR_REFUSED for a name that git turns away after the hook. The
 * text that was read is appended to "input".
 */
const struct err *receive_read(struct push *push, struct str *input);

/*
 * The refs of that input: lines of "OLD NEW REF", of which the last may
 * lack its newline.
 */
const struct err *receive_parse(struct push *push, const char *text,
    size_t len);

/*
 * The commit that a ref of a push points at, through a tag, too; all zeros
 * when it was deleted. ERR_REFUSED when it is something else.
 */
const struct err *receive_commit(const struct hub *hub,
    const struct push_ref *ref, char commit[REPO_OID_SIZE]);

/*
 * Write a request for each environment that deploys one of the push's
 * branches or tags, and mark the push as landed, in one transaction: one that
 * is not was not finished here. Then wake their runners. One line of words
 * for each ref that leads to no deploy is pushed onto "notes".
 */
const struct err *receive_refs(struct hub *hub, struct push *push,
    struct vec *notes);

/*
 * The same for a push that is in the journal, with the refs that moved.
 */
const struct err *receive_request(struct hub *hub, const struct push *push,
    struct vec *notes);

/*
 * The ref of a push that an environment is to deploy, of "*n" that ask for
 * it: the one whose commit contains the others'. NULL when there is none,
 * ERR_REFUSED when none of them does.
 */
const struct err *receive_choose(const struct hub *hub,
    const struct push *push, const struct environment *env,
    const struct push_ref **chosen, size_t *n);

/* A line for each of its refs that no environment deploys. */
const struct err *receive_note_others(const struct hub *hub,
    const struct push *push, struct vec *notes);

/*
 * The push of the receive-pack that this hook runs under: its number
 * through "*id", 0 when the journal has none.
 */
const struct err *receive_find(struct hub *hub, int64_t *id);

/*
 * What post-update does for a push whose post-receive did not come to its
 * end (it was killed, or the journal was busy): the same, for those refs
 * of the journal that git names as moved. Nothing for any other push.
 */
const struct err *receive_missed(struct hub *hub, int64_t id,
    const char *const *moved, struct vec *notes);

/*
 * Of the pushes that are still "received" although their receive-pack is
 * dead, the first after "*id": its number, and in "landed" what did move.
 * "*id" is 0 when there is no further one. A push whose deploy was to be
 * answered for by proc-receive (a transactional branch, an errand), and is
 * not over, is left to the runner.
 */
const struct err *receive_next_lost(const struct hub *hub, int64_t *id,
    struct push *landed);

/*
 * Whether something that was pushed may become a deploy yet, without another
 * push: hooks are at work on it, or died after a ref had moved.
 */
const struct err *receive_is_pending(const struct hub *hub, bool *is);

/*
 * Finish what the hooks of such pushes left: those that moved a ref get the
 * requests that they should have got, in their order, and are marked as
 * landed; the others are "unlanded". One that cannot be finished, as when
 * its objects are gone, stays, and is in the way of no other: the first error
 * is returned. Cheap where there are none, and safe to be done by several at
 * once: see deploy_request().
 */
const struct err *receive_settle(struct hub *hub);

/*
 * The same for somebody who is about to ask for something by word: what a
 * lost push moved is older than that, and would go live over it, did a
 * runner come to it later. ERR_BUSY: nobody could look, so nothing may be
 * asked for now. What else stands in the way stops nobody, and comes through
 * "*untold", to be said; NULL: nothing.
 */
const struct err *receive_settle_before(struct hub *hub,
    const struct err **untold);

/*
 * git locks the refs that a push moves, and HEAD for its log, by files that
 * outlive a receive-pack that is killed: remove what a dead one left. Those
 * of a ref that a living one has still to move are left alone. For a push
 * that deletes one, the lock on the packed refs goes, too: it would keep
 * everybody from deleting any.
 */
const struct err *receive_free_refs(const struct hub *hub,
    const struct push *push);

/*
 * The same for the last pushes, which have landed: where the power was cut
 * right then, the lock that git had renamed is there again.
 */
const struct err *receive_free_left(const struct hub *hub);

#endif
