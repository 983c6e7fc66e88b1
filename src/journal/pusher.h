/*
 * pusher - how the server knew who pushed, and what the push was signed
 * with: a row beside that of the push, which has the name.
 *
 * A certificate is kept as text, so that the journal alone is evidence. Its
 * blob in the repository is kept reachable while the journal says that it is
 * good, see signed.h.
 */
#ifndef PUSHER_H
#define PUSHER_H

#include <stdint.h>

#include "err.h"
#include "journal/journal.h"

struct pusher {
	char *known_by;		/* "GL_USER", "REMOTE_USER", "ssh key",
				 * "certificate" or "account" */
	char *account;		/* the unix user that it ran as */
	char *ssh_key;		/* it came with: "SHA256:...", or NULL */
	char *signer;		/* of a certificate that is good, or NULL */
	char *signing_key;	/* its fingerprint, or NULL */
	char *cert;		/* its blob; NULL: there was none */
	char *cert_text;	/* what was signed, and the signature */
	char *fault;		/* why it counts for nothing, or NULL */
};

#define PUSHER_INIT { 0 }

void pusher_release(struct pusher *pusher);

/*
 * Write it, with its event, in the transaction that writes the push; nothing
 * when "known_by" is NULL.
 */
const struct err *pusher_add(struct journal *journal, int64_t push,
    const struct pusher *pusher);

/*
 * Read the row of a push; "known_by" is NULL where there is none (a push
 * that an older Slipway wrote down).
 */
const struct err *pusher_get(struct journal *journal, int64_t push,
    struct pusher *pusher);

/*
 * The first push that came with this certificate and was not turned away:
 * its number through "*push", 0 when there was none. Whoever pushes again
 * within a second what was turned away signs the very same text.
 */
const struct err *pusher_by_cert(struct journal *journal, const char *cert,
    int64_t *push);

#endif
