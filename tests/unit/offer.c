#include "deploy/offer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkt.h"
#include "tap.h"

#define A "1111111111111111111111111111111111111111"
#define B "2222222222222222222222222222222222222222"

/* Read "text" as an offer; what we said goes to "said". */
static const struct err *
read_text(struct offer *offer, const struct str *text, struct str *said)
{
	const struct err *err;
	int in[2], out[2];
	char reply[4096];
	ssize_t n;

	*offer = (struct offer)OFFER_INIT;
	if (pipe(in) == -1 || pipe(out) == -1)
		return err_system("pipe");
	if (write(in[1], text->s, text->len) != (ssize_t)text->len)
		return err_system("write");
	close(in[1]);
	err = offer_read(offer, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	n = read(out[0], reply, sizeof(reply));
	str_clear(said);
	if (n > 0)
		str_add_bytes(said, reply, (size_t)n);
	close(out[0]);
	return err;
}

static void
add(struct str *text, const char *line, size_t len)
{
	pkt_add(text, line, len);
}

#define ADD(text, line) add((text), (line), sizeof(line) - 1)

static void
test_old_git(void)
{
	struct str text = STR_INIT, said = STR_INIT;
	struct offer offer;

	ADD(&text, "version=1\n");
	pkt_add_flush(&text);
	ADD(&text, A " " B " refs/heads/main\n");
	ADD(&text, A " " B " refs/heads/x");
	pkt_add_flush(&text);
	is_ok(read_text(&offer, &text, &said), "without capabilities");
	is_int((int64_t)offer.n, 2, "two refs");
	is_str(offer.refs[0].ref, "refs/heads/main", "the first");
	is_str(offer.refs[1].old, A, "old");
	is_str(offer.refs[1].new, B, "new");
	ok(!offer.atomic, "not atomic");
	ok(said.len == 18 && memcmp(said.s, "000eversion=1\0" "0000", 18)
	    == 0, "nothing is claimed that was not offered");
	offer_release(&offer);
	str_release(&said);
	str_release(&text);
}

static void
test_capabilities(void)
{
	static const char want[] = "0021version=1\0push-options atomic0000";
	struct str text = STR_INIT, said = STR_INIT;
	struct offer offer;

	ADD(&text, "version=1\0 push-options atomic new-one\n");
	pkt_add_flush(&text);
	ADD(&text, A " " B " refs/deploy/now");
	pkt_add_flush(&text);
	ADD(&text, "updb");
	ADD(&text, "two words");
	pkt_add_flush(&text);
	is_ok(read_text(&offer, &text, &said), "with capabilities");
	ok(offer.atomic, "atomic");
	ok(said.len == sizeof(want) - 1 &&
	    memcmp(said.s, want, said.len) == 0, "and those are said again");
	is_int((int64_t)offer.options.n, 2, "two options");
	is_str(offer.options.v[1], "two words", "whole");
	offer_release(&offer);
	str_release(&said);
	str_release(&text);
}

static void
test_faults(void)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "ended in the middle" },
		{ "0000", "knows version=1" },
		{ "000eversion=2\n0000", "knows version=1" },
		{ "000eversion=1\n", "ended in the middle" },
		{ "000eversion=1\n0000", "ended in the middle" },
		{ "000eversion=1\n00000006x\n0000", "not as 'x'" },
		{ "000eversion=1\n00000006x", "middle of a line" },
		{ "000eversion=1\n0000zzzz", "no length" },
		{ "GET / HTTP/1.0\r\n\r\n", "no length" },
	};
	struct str said = STR_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct str text = STR_INIT;
		struct offer offer;
		const struct err *err;

		str_add(&text, cases[i].text);
		err = read_text(&offer, &text, &said);
		ok(err != NULL && err->code == ERR_PROTOCOL &&
		    strstr(err->text, cases[i].part) != NULL, "%zu: %s", i,
		    err == NULL ? "no error" : err->text);
		offer_release(&offer);
		str_release(&text);
	}
	str_release(&said);
}

static const char *
written(const struct offer *offer, struct str *text)
{
	char bytes[8192];
	int out[2];
	ssize_t n;

	str_clear(text);
	if (pipe(out) == -1)
		return "";
	is_ok(offer_write(offer, out[1]), "written");
	close(out[1]);
	n = read(out[0], bytes, sizeof(bytes));
	if (n > 0)
		str_add_bytes(text, bytes, (size_t)n);
	close(out[0]);
	return text->s;
}

static void
test_answers(void)
{
	struct offered refs[] = {
		{ .ref = (char *)"a", .answer = ANSWER_OK },
		{ .ref = (char *)"b", .answer = ANSWER_NOT_OURS },
		{ .ref = (char *)"c" },
	};
	struct offer offer = { .refs = refs, .n = 3 };
	struct str text = STR_INIT;

	is_str(written(&offer, &text), "0008ok a0008ok b"
	    "0017option fall-through000fng c failed0000",
	    "each in its words");
	str_release(&text);
}

static void
test_reasons(void)
{
	struct offered ref = { .ref = (char *)"a" };
	struct str text = STR_INIT;

	offer_refuse(&ref, "one\ntwo\x1b[31m \xc2\x9b");
	is_str(ref.reason, "one two\\x1b[31m \\xc2\\x9b",
	    "one line without control characters");
	for (int i = 0; i < 300; i++)
		str_add(&text, "\xc3\xa4");
	str_add(&text, "x");
	offer_refuse(&ref, "x%s", text.s);
	ok(strlen(ref.reason) <= OFFER_REASON_MAX, "it is cut");
	ok(strlen(ref.reason) == OFFER_REASON_MAX - 1,
	    "where a character begins");
	ok(ref.answer == ANSWER_REFUSED, "and it is a refusal");
	offer_refuse(&ref, "the root is taken; remove /srv/%s", text.s);
	is_str(ref.reason, "the root is taken ...",
	    "no remedy is told by half");
	free(ref.reason);
	str_release(&text);
}

int
main(void)
{
	test_old_git();
	test_capabilities();
	test_faults();
	test_answers();
	test_reasons();
	return tap_done();
}
