/*
 * First the tree is listed and checked, then git writes what only it can
 * write, then everything else is written from the object database. A
 * folder above a file of git's may therefore exist already; any other
 * existing name is an error.
 */
#include "checkout.h"

#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "release/convert.h"
#include "release/listing.h"
#include "release/plumbing.h"
#include "repo.h"

#define TARGET_MAX 4095

struct writer {
	struct listing listing;
	struct plumbing git;
	git_odb *odb;
	struct manifest_draft *draft;
	struct store_count *count;
	int fds[CHECKOUT_DEPTH_MAX + 1];	/* open folders, by depth */
};

/* Note what was written; "st" is its look afterwards. */
static void
note(struct writer *writer, const struct listing_entry *entry,
    const struct stat *st, const unsigned char digest[8],
    unsigned int flags)
{
	struct manifest_entry row = { .path = entry->path };

	row.mode = entry->mode;
	memcpy(row.blob, entry->oid.id, sizeof(row.blob));
	row.flags = flags;
	memcpy(row.digest, digest, sizeof(row.digest));
	manifest_entry_stat(&row, st);
	manifest_draft_add(writer->draft, &row);
	writer->count->files++;
	writer->count->size_bytes += st->st_size;
}

/*
 * The look of a file, and its mode put right: whatever umask this process
 * or git runs with, a release has two modes only.
 */
static const struct err *
settle_mode(int fd, mode_t mode, struct stat *st)
{
	if (fstat(fd, st) == -1)
		return err_system("stat");
	if ((st->st_mode & 07777) == mode)
		return NULL;
	if (fchmod(fd, mode) == -1 || fstat(fd, st) == -1)
		return err_system("set the mode");
	return NULL;
}

static const struct err *
write_folder(struct writer *writer, const struct listing_entry *entry)
{
	int parent = writer->fds[entry->depth];
	int *fd = &writer->fds[entry->depth + 1];
	const char *name = entry->path + entry->name;
	struct stat st;

	if (mkdirat(parent, name, 0777) == -1 &&
	    (errno != EEXIST || (entry->flags & LISTING_BY_GIT) == 0))
		return err_system("create");
	file_close(fd);
	*fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (*fd == -1)
		return err_system("open");
	writer->count->folders++;
	return settle_mode(*fd, 0755, &st);
}

static const struct err *
create(struct writer *writer, const struct listing_entry *entry, int *fd)
{
	*fd = openat(writer->fds[entry->depth], entry->path + entry->name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    entry->mode == LISTING_PROGRAM ? 0777 : 0666);
	return *fd == -1 ? err_system("create") : NULL;
}

static const struct err *
write_bytes(struct writer *writer, const struct listing_entry *entry,
    const char *bytes, size_t len, unsigned int flags)
{
	unsigned char digest[8];
	const struct err *err;
	struct stat st;
	int fd;

	err = create(writer, entry, &fd);
	if (err == NULL)
		err = file_write_fd(fd, bytes, len);
	if (err == NULL)
		err = settle_mode(fd, entry->mode & 07777, &st);
	if (err == NULL) {
		manifest_digest(digest, bytes, len);
		note(writer, entry, &st, digest, flags);
	}
	file_close(&fd);
	return err;
}

/* git streams a blob that is too large to hold here. */
static const struct err *
write_big(struct writer *writer, const struct listing_entry *entry,
    size_t size_bytes)
{
	char hex[GIT_OID_HEXSZ + 1];
	const char *args[] = { "cat-file", "blob", hex, NULL };
	unsigned char digest[8];
	const struct err *err;
	struct stat st;
	int fd;

	git_oid_tostr(hex, sizeof(hex), &entry->oid);
	err = create(writer, entry, &fd);
	if (err == NULL)
		err = plumbing_run_fd(&writer->git, args, NULL, fd);
	if (err == NULL)
		err = settle_mode(fd, entry->mode & 07777, &st);
	if (err == NULL && (size_t)st.st_size != size_bytes)
		err = err_new(ERR_CORRUPT, "git wrote %lld bytes of %zu",
		    (long long)st.st_size, size_bytes);
	if (err == NULL)
		err = manifest_digest_fd(digest, fd);
	if (err == NULL)
		note(writer, entry, &st, digest, 0);
	file_close(&fd);
	return err;
}

static const struct err *
write_symlink(struct writer *writer, const struct listing_entry *entry,
    const char *target, size_t len)
{
	const char *name = entry->path + entry->name;
	int parent = writer->fds[entry->depth];
	unsigned char digest[8];
	struct stat st;

	if (len == 0 || len > TARGET_MAX ||
	    memchr(target, '\0', len) != NULL)
		return err_new(ERR_REFUSED, "not the target of a symlink"
		    " (%zu bytes, 1 to %d are possible, no NUL)", len,
		    TARGET_MAX);
	/* libgit2 puts a NUL behind every object. */
	if (symlinkat(target, parent, name) == -1)
		return err_system("create");
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return err_system("stat");
	manifest_digest(digest, target, len);
	note(writer, entry, &st, digest, 0);
	return NULL;
}

static const struct err *
write_subst(struct writer *writer, const struct listing_entry *entry,
    const char *bytes, size_t len)
{
	struct str out = STR_INIT;
	const struct err *err;

	err = convert_subst(&writer->git, bytes, len, &out);
	if (err == NULL)
		err = write_bytes(writer, entry, out.s, out.len,
		    MANIFEST_CONVERTED);
	str_release(&out);
	return err;
}

static const struct err *
write_blob(struct writer *writer, const struct listing_entry *entry)
{
	bool is_subst = (entry->flags & LISTING_SUBST) != 0;
	const struct err *err;
	git_odb_object *object;
	git_object_t type;
	size_t size_bytes;
	int code;

	code = git_odb_read_header(&size_bytes, &type, writer->odb,
	    &entry->oid);
	if (code != 0)
		return repo_error(code, "read");
	if (type != GIT_OBJECT_BLOB)
		return err_new(ERR_CORRUPT, "not a blob");
	if (size_bytes > CHECKOUT_BIG_BYTES && !is_subst &&
	    entry->mode != LISTING_SYMLINK)
		return write_big(writer, entry, size_bytes);
	code = git_odb_read(&object, writer->odb, &entry->oid);
	if (code != 0)
		return repo_error(code, "read");
	if (entry->mode == LISTING_SYMLINK)
		err = write_symlink(writer, entry,
		    git_odb_object_data(object), git_odb_object_size(object));
	else if (is_subst)
		err = write_subst(writer, entry,
		    git_odb_object_data(object), git_odb_object_size(object));
	else
		err = write_bytes(writer, entry,
		    git_odb_object_data(object), git_odb_object_size(object),
		    0);
	git_odb_object_free(object);
	return err;
}

static const struct err *
check_pointer(const struct listing_entry *entry, int fd)
{
	char text[2048];
	ssize_t len;

	if ((entry->flags & LISTING_FILTER) == 0)
		return NULL;
	len = pread(fd, text, sizeof(text), 0);
	if (len == -1)
		return err_system("read");
	if (!convert_is_pointer(text, (size_t)len))
		return NULL;
	return err_new(ERR_REFUSED, "the file is in Git LFS, and what was"
	    " pushed is a pointer to it that nothing here resolves; install"
	    " git-lfs for the deploy user (git lfs install), push the"
	    " objects (git lfs push), or commit the file itself");
}

/* What git wrote becomes text again, is expanded and takes its place. */
static const struct err *
rewrite_subst(struct writer *writer, const struct listing_entry *entry,
    int fd)
{
	struct str before = STR_INIT;
	const struct err *err;

	err = file_read_fd(&before, fd, SIZE_MAX / 2);
	if (err == NULL && unlinkat(writer->fds[entry->depth],
	    entry->path + entry->name, 0) == -1)
		err = err_system("replace");
	if (err == NULL)
		err = write_subst(writer, entry, before.s, before.len);
	str_release(&before);
	return err;
}

/* Take a file that git wrote into the manifest. */
static const struct err *
take_converted(struct writer *writer, const struct listing_entry *entry)
{
	unsigned char digest[8];
	const struct err *err;
	struct stat st;
	int fd;

	fd = openat(writer->fds[entry->depth], entry->path + entry->name,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return err_system("open what git should have written");
	err = check_pointer(entry, fd);
	if (err == NULL)
		err = settle_mode(fd, entry->mode & 07777, &st);
	if (err == NULL && entry->flags & LISTING_SUBST) {
		err = rewrite_subst(writer, entry, fd);
	} else if (err == NULL) {
		err = manifest_digest_fd(digest, fd);
		if (err == NULL)
			note(writer, entry, &st, digest, MANIFEST_CONVERTED);
	}
	file_close(&fd);
	return err;
}

static const struct err *
write_entry(struct writer *writer, const struct listing_entry *entry)
{
	if (entry->mode == LISTING_FOLDER)
		return write_folder(writer, entry);
	if (entry->flags & LISTING_CONVERT &&
	    entry->mode != LISTING_SYMLINK)
		return take_converted(writer, entry);
	return write_blob(writer, entry);
}

static const struct err *
write_listing(struct writer *writer)
{
	for (size_t i = 0; i < writer->listing.n; i++) {
		const struct listing_entry *entry =
		    &writer->listing.entries[i];
		const struct err *err;

		if ((entry->flags & LISTING_WANTED) == 0)
			continue;
		err = write_entry(writer, entry);
		if (err != NULL)
			return err_add(err, "%s", entry->path);
	}
	return NULL;
}

static const struct err *
prepare(struct writer *writer, struct repo *repo, const char *commit,
    bool export)
{
	const struct err *err;
	int code;

	code = git_repository_odb(&writer->odb, repo_handle(repo));
	if (code != 0)
		return repo_error(code, "open the objects");
	err = listing_read(&writer->listing, repo, commit);
	if (err == NULL)
		err = convert_mark(&writer->listing, repo, &writer->git,
		    export);
	if (err != NULL)
		return err;
	listing_settle(&writer->listing, export);
	return convert_write(&writer->listing, &writer->git);
}

const struct err *
checkout_write(struct repo *repo, const char *commit, bool export,
    int dirfd, struct manifest_draft *draft, struct store_count *count)
{
	struct writer writer = { .listing = LISTING_INIT, .draft = draft,
	    .count = count };
	const struct err *err;

	memset(count, 0, sizeof(*count));
	for (int i = 0; i <= CHECKOUT_DEPTH_MAX; i++)
		writer.fds[i] = -1;
	writer.fds[0] = dirfd;
	plumbing_init(&writer.git, repo, commit, dirfd);
	err = prepare(&writer, repo, commit, export);
	if (err == NULL)
		err = write_listing(&writer);
	for (int i = 1; i <= CHECKOUT_DEPTH_MAX; i++)
		file_close(&writer.fds[i]);
	err = err_first(err, plumbing_release(&writer.git));
	listing_release(&writer.listing);
	git_odb_free(writer.odb);
	return err;
}
