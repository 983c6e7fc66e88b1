#include "cmd/signing.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd/git.h"
#include "file.h"
#include "path.h"
#include "str.h"

#define SEED_BYTES 32

/*
 * Over HTTP a push is another connection than the one that was given the
 * number: it may be so many seconds old.
 */
#define SLOP "300"

static const char signers_text[] =
    "# Whose signed pushes are good: a name, and the public key, as in\n"
    "#   alice@example.org namespaces=\"git\" ssh-ed25519 AAAA...\n"
    "# See ALLOWED SIGNERS in ssh-keygen(1).\n";

/* "git config" would show the seed to everybody who looks at processes. */
static const struct err *
write_seed(const char *lock)
{
	uint8_t bytes[SEED_BYTES];
	struct str text = STR_INIT;
	const struct err *err = NULL;
	int fd;

	if (getentropy(bytes, sizeof(bytes)) == -1)
		return err_system("draw a seed");
	/* A line that has no end gets one. */
	str_add(&text, "\n[receive]\n\tcertNonceSeed = ");
	for (size_t i = 0; i < sizeof(bytes); i++)
		str_addf(&text, "%02x", bytes[i]);
	str_addch(&text, '\n');
	fd = open(lock, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd == -1)
		err = err_system("open %s", lock);
	else if (fchmod(fd, 0600) == -1)
		err = err_system("chmod %s", lock);
	if (err == NULL)
		err = file_write_fd(fd, text.s, text.len);
	file_close(&fd);
	str_release(&text);
	return err;
}

static const struct err *
make_seed(const char *repo, struct gitfile *file, struct vec *done)
{
	const struct err *err = gitfile_open(file, repo);

	if (err == NULL)
		err = write_seed(file->lock);
	if (err == NULL)
		vec_pushf(done, "set receive.certNonceSeed, at random; only"
		    " its owner can read %s now", file->path);
	return err;
}

static const struct err *
make_signers(const char *repo, struct gitfile *file, struct vec *done)
{
	char *path = path_join(repo, "allowed_signers");
	const struct err *err = NULL;

	if (!file_exists(AT_FDCWD, path)) {
		err = file_replace(AT_FDCWD, path, signers_text,
		    sizeof(signers_text) - 1, 0644);
		if (err == NULL)
			vec_pushf(done, "wrote %s, for the keys of those who"
			    " may push", path);
	}
	if (err == NULL)
		err = git_config_default(repo, file,
		    "gpg.ssh.allowedSignersFile", path, done);
	free(path);
	return err;
}

static const struct err *
is_set(bool *is, const char *repo, const char *key)
{
	struct str value = STR_INIT;
	const struct err *err;

	err = git_config_path(&value, repo, key);
	*is = value.len > 0;
	str_release(&value);
	return err;
}

const struct err *
signing_configure(const char *repo, struct gitfile *file, struct vec *done)
{
	const struct err *err;
	bool seeded, known;

	err = is_set(&known, repo, "gpg.ssh.allowedSignersFile");
	if (err == NULL && !known)
		err = make_signers(repo, file, done);
	if (err == NULL)
		err = git_config_default(repo, file, "receive.certNonceSlop",
		    SLOP, done);
	if (err == NULL)
		err = is_set(&seeded, repo, "receive.certNonceSeed");
	return err == NULL && !seeded ? make_seed(repo, file, done) : err;
}
