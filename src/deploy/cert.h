/*
 * cert - the certificate of a signed push, and what it is worth.
 *
 * "git push --signed" sends a text that names the server, a number that it
 * has just given out, and each ref with its old and new value, signed as a
 * commit would be. git-receive-pack checks all that, and tells its hooks in
 * GIT_PUSH_CERT*. We believe that when it was git-receive-pack that said it
 * and no client's environment, neither by these variables nor by a config of
 * the client's, and take each certificate once.
 *
 *	cert_read()	pre-receive: what git says of it
 *	cert_check()	the gate: its text; must this push be signed?
 *	cert_keep()	it has landed: the blob stays, for others to verify
 */
#ifndef CERT_H
#define CERT_H

#include "err.h"
#include "journal/hub.h"
#include "journal/push.h"
#include "repo.h"
#include "vec.h"

/* Below it, the blob of each push that was signed, by the push's number. */
#define CERT_REFS "refs/slipway/certs/"

/* The longest certificate that is taken, in bytes. */
#define CERT_SIZE_MAX (16 * 1024 * 1024)

/*
 * Fill in the certificate, and its signer or its fault. "receiver" is the
 * git-receive-pack of identity_receiver().
 */
void cert_read(struct pusher *who, const char *receiver);

/*
 * Read the text, and look whether the certificate came before. A reason for
 * each environment that takes signed pushes only, and would be moved or
 * asked something by this one, is pushed onto "reasons".
 */
const struct err *cert_check(const struct hub *hub, struct repo *repo,
    struct push *push, struct vec *reasons);

/*
 * Keep the blob of a push from gc, if its certificate is good. May be done
 * again; objects must be out of quarantine. Where it cannot be, a warning is
 * pushed onto "notes": the journal has the text.
 */
void cert_keep(const struct hub *hub, int64_t push, struct vec *notes);

#endif
