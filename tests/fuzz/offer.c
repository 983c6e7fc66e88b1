/*
 * What git leaves to proc-receive, and the answers: an offer that is taken
 * is what git would say, and every ref of it gets one answer that git
 * reads, in one line that no terminal obeys.
 */
#include "deploy/offer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "pkt.h"
#include "repo.h"

static int in_fd, out_fd;

static void __attribute__((constructor))
make_files(void)
{
	in_fd = fuzz_file();
	out_fd = fuzz_file();
}

static void
check_offer(const struct offer *offer)
{
	assert(offer->n <= OFFER_REFS_MAX);
	assert(offer->options.n <= OFFER_OPTIONS_MAX);
	for (size_t i = 0; i < offer->n; i++) {
		const struct offered *ref = &offer->refs[i];

		assert(repo_is_oid(ref->old) && repo_is_oid(ref->new));
		assert(*ref->ref != '\0' && strchr(ref->ref, ' ') == NULL);
		assert(ref->answer == ANSWER_NONE && ref->reason == NULL);
	}
}

/* The answer to the version: what git offered, and not more. */
static void
check_reply(const struct offer *offer)
{
	struct pkt_reader reader = PKT_READER_INIT;
	enum pkt_kind kind;
	const char *bytes;
	size_t len;

	fuzz_read(&reader.buf, out_fd);
	assert(pkt_next(&reader, &kind, &bytes, &len) == NULL);
	assert(kind == PKT_DATA && len > strlen("version=1"));
	assert(memcmp(bytes, "version=1", sizeof("version=1")) == 0);
	assert((memmem(bytes, len, "atomic", 6) != NULL) == offer->atomic);
	assert(offer->options.n == 0 ||
	    memmem(bytes, len, "push-options", 12) != NULL);
	assert(pkt_next(&reader, &kind, &bytes, &len) == NULL);
	assert(kind == PKT_FLUSH && reader.start == reader.buf.len);
	pkt_reader_release(&reader);
}

/* Answer in each way there is, with texts from outside. */
static void
answer_all(struct offer *offer, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < offer->n; i++) {
		struct offered *ref = &offer->refs[i];

		ref->answer = (enum answer)(size + i) % 4;
		if (ref->answer == ANSWER_REFUSED)
			offer_refuse(ref, "%.*s", (int)size, (char *)data);
		if (ref->reason != NULL) {
			assert(strlen(ref->reason) <= OFFER_REASON_MAX);
			assert(fuzz_is_safe(ref->reason, strlen(ref->reason),
			    false));
		}
	}
}

static bool
has_word(const char *bytes, size_t len, const char *word, const char *rest)
{
	size_t n = strlen(word), m = strlen(rest);

	return len >= n + m && memcmp(bytes, word, n) == 0 &&
	    memcmp(bytes + n, rest, m) == 0;
}

/* Each ref in its turn, and nothing that it did not ask for. */
static void
check_answers(const struct offer *offer)
{
	struct pkt_reader reader = PKT_READER_INIT;
	enum pkt_kind kind;
	const char *bytes;
	size_t len;

	fuzz_read(&reader.buf, out_fd);
	for (size_t i = 0; i < offer->n; i++) {
		const struct offered *ref = &offer->refs[i];
		bool yes = ref->answer == ANSWER_OK ||
		    ref->answer == ANSWER_NOT_OURS;

		assert(pkt_next(&reader, &kind, &bytes, &len) == NULL);
		assert(kind == PKT_DATA);
		assert(has_word(bytes, len, yes ? "ok " : "ng ", ref->ref));
		assert(memchr(bytes, '\n', len) == NULL);
		if (ref->answer != ANSWER_NOT_OURS)
			continue;
		assert(pkt_next(&reader, &kind, &bytes, &len) == NULL);
		assert(has_word(bytes, len, "option ", "fall-through"));
	}
	assert(pkt_next(&reader, &kind, &bytes, &len) == NULL);
	assert(kind == PKT_FLUSH && reader.start == reader.buf.len);
	pkt_reader_release(&reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct offer offer = OFFER_INIT;
	const struct err *err;

	fuzz_rewrite(in_fd, data, size);
	fuzz_rewind(out_fd);
	err = offer_read(&offer, in_fd, out_fd);
	assert(err == NULL || err->code == ERR_PROTOCOL);
	if (err == NULL) {
		check_offer(&offer);
		check_reply(&offer);
		answer_all(&offer, data, size);
		fuzz_rewind(out_fd);
		assert(offer_write(&offer, out_fd) == NULL);
		check_answers(&offer);
	}
	offer_release(&offer);
	return 0;
}
