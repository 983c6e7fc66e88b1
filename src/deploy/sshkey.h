/*
 * sshkey - whose ssh key a push came with.
 *
 * sshd with "ExposeAuthInfo yes" names a file in SSH_USER_AUTH that tells
 * the key. An account that several people push as has a line for each in
 * its authorized_keys, with a comment behind the key: that is the name.
 */
#ifndef SSHKEY_H
#define SSHKEY_H

#include "str.h"

/*
 * The name of the key, given: its comment in "authorized" (the text of an
 * authorized_keys file); of a certificate, the identity that its authority
 * has written into it; or else "SHA256:..." as ssh-keygen -l shows it.
 * "auth" is the text of the file that sshd wrote. NULL: no key in there.
 */
char *sshkey_name(const char *auth, const char *authorized);

/* "SHA256:..." of that key, given; NULL: no key in there. */
char *sshkey_fingerprint(const char *auth);

#endif
