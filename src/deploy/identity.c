#include "deploy/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "alloc.h"
#include "deploy/cert.h"
#include "deploy/sshkey.h"
#include "file.h"
#include "vec.h"

/* Wrappers that stand between receive-pack and a hook, at the most. */
#define ANCESTORS_MAX 8

/* Field numbers of proc(5) stat, counted behind the command's name. */
#define STAT_STATE 0
#define STAT_PPID 1
#define STAT_START 19

#define STAT_SIZE_MAX 4096

/* What sshd tells of a login, and the largest list of keys, in bytes. */
#define AUTH_SIZE_MAX (64 * 1024)
#define AUTHORIZED_SIZE_MAX (16 * 1024 * 1024)

/* What a variable says; NULL for one that is empty, too. */
static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value == NULL || *value == '\0' ? NULL : value;
}

/* sshd makes the file for whoever has logged in, and nobody else. */
static const struct err *
read_auth(struct str *auth, const char *path)
{
	const struct err *err = NULL;
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1)
		return err_system("open %s", path);
	if (fstat(fd, &st) == -1)
		err = err_system("stat %s", path);
	else if (!S_ISREG(st.st_mode) || st.st_uid != getuid())
		err = err_new(ERR_FAILED, "%s is not sshd's", path);
	else
		err = file_read_fd(auth, fd, AUTH_SIZE_MAX);
	file_close(&fd);
	return err;
}

/* The ssh key's name, and its fingerprint; NULL when sshd tells of none. */
static char *
key_name(const struct passwd *pw, char **print)
{
	const char *path = variable("SSH_USER_AUTH");
	struct str auth = STR_INIT, authorized = STR_INIT;
	char *name = NULL, *keys;

	*print = NULL;
	if (path == NULL || read_auth(&auth, path) != NULL)
		return NULL;
	keys = xasprintf("%s/.ssh/authorized_keys",
	    pw == NULL ? "" : pw->pw_dir);
	/* Without that file the key has no name but its fingerprint. */
	if (file_read(&authorized, keys, AUTHORIZED_SIZE_MAX) != NULL)
		str_clear(&authorized);
	name = sshkey_name(auth.s, authorized.s);
	*print = sshkey_fingerprint(auth.s);
	free(keys);
	str_release(&auth);
	str_release(&authorized);
	return name;
}

/* The first of these that tells is the name, and "known_by" how. */
static char *
find_name(struct pusher *who)
{
	static const char *const names[] = { "GL_USER", "REMOTE_USER" };
	const struct passwd *pw = getpwuid(getuid());
	const char *found = NULL, *how = NULL;
	char *key = key_name(pw, &who->ssh_key), *name;

	who->account = pw != NULL ? xstrdup(pw->pw_name) :
	    xasprintf("uid %u", (unsigned int)getuid());
	for (size_t i = 0; found == NULL &&
	    i < sizeof(names) / sizeof(*names); i++) {
		how = names[i];
		found = variable(how);
	}
	if (found == NULL && key != NULL) {
		how = "ssh key";
		found = key;
	} else if (found == NULL && who->signer != NULL) {
		how = "certificate";
		found = who->signer;
	} else if (found == NULL) {
		how = IDENTITY_ACCOUNT;
		found = who->account;
	}
	who->known_by = xstrdup(how);
	name = xstrndup(found, IDENTITY_NAME_MAX);
	free(key);
	return name;
}

char *
identity_pusher(void)
{
	struct pusher who = PUSHER_INIT;
	char *name = find_name(&who);

	pusher_release(&who);
	return name;
}

/* sshd has the address first, a web server alone. */
static char *
origin(void)
{
	const char *address = variable("SSH_CONNECTION");

	if (address == NULL)
		address = variable("REMOTE_ADDR");
	return address == NULL ? NULL :
	    xstrndup(address, strcspn(address, " "));
}

const struct err *
identity_find(struct push *push)
{
	const struct err *err;

	err = identity_receiver(&push->receiver);
	if (err == NULL)
		cert_read(&push->who, push->receiver);
	push->pusher = find_name(&push->who);
	push->origin = origin();
	return err;
}

void
identity_unsign(struct push *push, const char *fault)
{
	struct pusher *who = &push->who;

	free(who->fault);
	who->fault = xstrdup(fault);
	if (who->signer != NULL && strcmp(who->known_by, "certificate") == 0) {
		free(push->pusher);
		push->pusher = xstrdup(who->account);
		free(who->known_by);
		who->known_by = xstrdup(IDENTITY_ACCOUNT);
	}
	free(who->signer);
	free(who->signing_key);
	who->signer = who->signing_key = NULL;
}

/* What proc(5) tells of a process. */
struct process {
	struct str name;
	char state;
	pid_t parent;
	char *start;
};

static void
process_release(struct process *process)
{
	str_release(&process->name);
	free(process->start);
}

static const struct err *
read_stat(pid_t pid, struct process *process)
{
	struct str text = STR_INIT;
	struct vec fields = VEC_INIT;
	const struct err *err;
	char *path, *open, *close;

	path = xasprintf("/proc/%ld/stat", (long)pid);
	err = file_read(&text, path, STAT_SIZE_MAX);
	if (err != NULL)
		goto done;
	open = strchr(text.s, '(');
	close = strrchr(text.s, ')');
	if (open == NULL || close == NULL) {
		err = err_new(ERR_CORRUPT, "%s is not understood", path);
		goto done;
	}
	vec_split(&fields, close + 1, " \n");
	if (fields.n <= STAT_START) {
		err = err_new(ERR_CORRUPT, "%s is not understood", path);
		goto done;
	}
	str_init(&process->name);
	str_add_bytes(&process->name, open + 1, (size_t)(close - open - 1));
	process->state = fields.v[STAT_STATE][0];
	process->parent = (pid_t)strtol(fields.v[STAT_PPID], NULL, 10);
	process->start = xstrdup(fields.v[STAT_START]);
done:
	vec_release(&fields);
	str_release(&text);
	free(path);
	return err;
}

const struct err *
identity_receiver(char **receiver)
{
	const struct err *err = NULL;
	pid_t pid = getppid();

	*receiver = NULL;
	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		struct process process = { .name = STR_INIT };
		bool found;

		err = read_stat(pid, &process);
		if (err != NULL)
			break;
		found = str_starts_with(process.name.s, "git");
		if (found || *receiver == NULL) {
			free(*receiver);
			*receiver = xasprintf("%ld %s", (long)pid,
			    process.start);
		}
		pid = process.parent;
		process_release(&process);
		if (found)
			break;
	}
	if (*receiver != NULL)
		return NULL;
	return err != NULL ? err : err_new(ERR_FAILED, "this hook is not run"
	    " by git");
}

bool
identity_lives(const char *receiver)
{
	struct process process = { .name = STR_INIT };
	const struct err *err;
	char *start;
	long pid = strtol(receiver, &start, 10);
	bool lives;

	if (pid <= 0 || *start != ' ')
		return false;
	err = read_stat((pid_t)pid, &process);
	if (err != NULL)
		return err->sys_errno != ENOENT && err->sys_errno != ESRCH;
	lives = process.state != 'Z' && strcmp(process.start, start + 1) == 0;
	process_release(&process);
	return lives;
}
