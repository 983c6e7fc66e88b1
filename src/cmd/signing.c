#include "cmd/signing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd/git.h"
#include "file.h"
#include "path.h"
#include "str.h"

#define SEED_BYTES 32

/* The largest config of a repository that is rewritten, in bytes. */
#define CONFIG_MAX (4 * 1024 * 1024)

/*
 * Over HTTP a push is another connection than the one that was given the
 * number: it may be so many seconds old.
 */
#define SLOP "300"

static const char signers_text[] =
    "# Whose signed pushes are good: a name, and the public key, as in\n"
    "#   alice@example.org namespaces=\"git\" ssh-ed25519 AAAA...\n"
    "# See ALLOWED SIGNERS in ssh-keygen(1).\n";

static const struct err *
add_seed(struct str *text)
{
	uint8_t bytes[SEED_BYTES];

	if (getentropy(bytes, sizeof(bytes)) == -1)
		return err_system("draw a seed");
	if (text->len > 0 && text->s[text->len - 1] != '\n')
		str_addch(text, '\n');
	str_add(text, "[receive]\n\tcertNonceSeed = ");
	for (size_t i = 0; i < sizeof(bytes); i++)
		str_addf(text, "%02x", bytes[i]);
	str_addch(text, '\n');
	return NULL;
}

/* "git config" would show the seed to everybody who looks at processes. */
static const struct err *
write_config(const char *repo, const char *path, const char *lock, int fd)
{
	struct str text = STR_INIT;
	const struct err *err;

	err = file_read(&text, path, CONFIG_MAX);
	if (err == NULL)
		err = add_seed(&text);
	if (err == NULL)
		err = file_write_fd(fd, text.s, text.len);
	if (err == NULL && fsync(fd) == -1)
		err = err_system("fsync %s", lock);
	if (err == NULL && rename(lock, path) == -1)
		err = err_system("rename %s", lock);
	if (err == NULL)
		err = file_sync_dir(AT_FDCWD, repo);
	str_release(&text);
	return err;
}

/* Under the lock that git takes, and by the same rename. */
static const struct err *
make_seed(const char *repo, struct vec *done)
{
	char *path = path_join(repo, "config");
	char *lock = path_join(repo, "config.lock");
	const struct err *err;
	int fd;

	fd = open(lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 && errno == EEXIST)
		err = err_new(ERR_BUSY, "%s is there: somebody else changes"
		    " the config, or was killed; then remove it", lock);
	else if (fd == -1)
		err = err_system("create %s", lock);
	else
		err = write_config(repo, path, lock, fd);
	if (fd != -1 && err != NULL)
		unlink(lock);
	if (err == NULL)
		vec_pushf(done, "set receive.certNonceSeed, at random;"
		    " only its owner can read %s now", path);
	file_close(&fd);
	free(lock);
	free(path);
	return err;
}

static const struct err *
make_signers(const char *repo, struct vec *done)
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
		err = git_config_default(repo, "gpg.ssh.allowedSignersFile",
		    path, done);
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
signing_configure(const char *repo, struct vec *done)
{
	const struct err *err;
	bool seeded, known;

	err = is_set(&known, repo, "gpg.ssh.allowedSignersFile");
	if (err == NULL && !known)
		err = make_signers(repo, done);
	if (err == NULL)
		err = git_config_default(repo, "receive.certNonceSlop", SLOP,
		    done);
	if (err == NULL)
		err = is_set(&seeded, repo, "receive.certNonceSeed");
	return err == NULL && !seeded ? make_seed(repo, done) : err;
}
