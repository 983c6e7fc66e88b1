/*
 * An agent before it has a root: each whole request gets one answer, which
 * its runner can read, and nothing happens. What verbs take out of a
 * request is what they promise to each other.
 *
 * A request that opens a root, and could then run commands, is not tried.
 */
#include "host/agent.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "host/verb.h"
#include "path.h"

static int in_fd, out_fd;

static void __attribute__((constructor))
make_files(void)
{
	in_fd = fuzz_file();
	out_fd = fuzz_file();
}

/* A path that a verb may join to a folder leads out of it by no part. */
static void
check_path(const char *path)
{
	assert(*path != '\0' && *path != '/');
	for (const char *at = path; at != NULL; at = strchr(at, '/')) {
		at += *at == '/';
		assert(strncmp(at, "..", 2) != 0 ||
		    (at[2] != '/' && at[2] != '\0'));
	}
}

static void
check_values(const struct message *request)
{
	struct vec values = VEC_INIT;
	const char *release;
	int64_t number;

	if (verb_release(request, &release) == NULL)
		assert(strlen(release) >= 14 &&
		    strspn(release, "0123456789") >= 14 &&
		    strchr(release, '/') == NULL);
	if (verb_paths(request, "path", &values) == NULL) {
		for (size_t i = 0; i < values.n; i++)
			check_path(values.v[i]);
	}
	if (verb_int(request, "look", 0, 1, &number) == NULL)
		assert(number == 0 || number == 1);
	vec_clear(&values);
	if (verb_releases(request, &values) == NULL) {
		for (size_t i = 0; i < values.n; i++)
			assert(path_is_component(values.v[i],
			    strlen(values.v[i])));
	}
	vec_release(&values);
}

/* How many requests want an answer; false when one opens a root. */
static bool
look_at_requests(const uint8_t *data, size_t size, size_t *n, bool *broken)
{
	struct pkt_reader reader = PKT_READER_INIT;
	struct message request = MESSAGE_INIT;
	const struct err *err = NULL;
	bool whole = true, closed = false, harmless = true;

	str_add_bytes(&reader.buf, data, size);
	reader.closed = true;
	while (err == NULL && harmless && !closed) {
		err = message_take(&request, &reader, &whole, &closed);
		if (err == NULL && whole) {
			check_values(&request);
			harmless = strcmp(request.lines[0].value, "open") !=
			    0;
			*n += !verb_is_stop(&request);
			message_release(&request);
		}
	}
	*broken = err != NULL;
	message_release(&request);
	pkt_reader_release(&reader);
	return harmless;
}

/* The agent says of what it cannot read that it cannot. */
static void
check_answers(size_t n)
{
	struct pkt_reader reader = PKT_READER_INIT;
	struct message answer = MESSAGE_INIT;
	bool whole, closed;

	fuzz_read(&reader.buf, out_fd);
	reader.closed = true;
	for (size_t i = 0; i < n; i++) {
		const char *type;

		assert(message_take(&answer, &reader, &whole, &closed) ==
		    NULL);
		assert(whole && !closed);
		type = message_get(&answer, "type");
		assert(type == answer.lines[0].value);
		if (strcmp(type, "error") == 0)
			assert(message_get(&answer, "code") != NULL &&
			    message_get(&answer, "text") != NULL);
		else
			assert(strcmp(type, "result") == 0 &&
			    message_int(&answer, "version", 0) ==
			    WIRE_VERSION);
		message_release(&answer);
	}
	assert(message_take(&answer, &reader, &whole, &closed) == NULL);
	assert(closed);
	pkt_reader_release(&reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct err *err;
	bool broken;
	size_t n = 0;

	if (!look_at_requests(data, size, &n, &broken))
		return 0;
	fuzz_rewrite(in_fd, data, size);
	fuzz_rewind(out_fd);
	err = agent_serve(in_fd, out_fd);
	assert(broken ? err->code == ERR_PROTOCOL : err == NULL);
	check_answers(n + broken);
	return 0;
}
