#include "deploy/sshkey.h"

#include <sys/types.h>
#include <sha2.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "vec.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* As far as the text is base64. */
static void
decode(struct str *bytes, const char *text)
{
	uint32_t bits = 0;
	int n = 0;

	for (; *text != '\0' && *text != '='; text++) {
		const char *digit = strchr(digits, *text);

		if (digit == NULL)
			return;
		bits = bits << 6 | (uint32_t)(digit - digits);
		n += 6;
		if (n >= 8) {
			n -= 8;
			str_addch(bytes, (char)(bits >> n & 0xff));
		}
	}
}

/* Without the "=" at the end, as ssh-keygen shows it. */
static void
encode(struct str *text, const uint8_t *bytes, size_t len)
{
	uint32_t bits = 0;
	int n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | bytes[i];
		for (n += 8; n >= 6; n -= 6)
			str_addch(text, digits[bits >> (n - 6) & 63]);
	}
	if (n > 0)
		str_addch(text, digits[bits << (6 - n) & 63]);
}

static char *
fingerprint(const char *key)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct str blob = STR_INIT, text = STR_INIT;
	SHA2_CTX sha;

	decode(&blob, key);
	SHA256Init(&sha);
	SHA256Update(&sha, (const uint8_t *)blob.s, blob.len);
	SHA256Final(digest, &sha);
	str_add(&text, "SHA256:");
	encode(&text, digest, sizeof(digest));
	str_release(&blob);
	return str_detach(&text);
}

/* What follows the key on its line; NULL without one. */
static char *
comment(const char *authorized, const char *key)
{
	size_t len = strlen(key);
	const char *at = authorized;

	while ((at = strstr(at, key)) != NULL) {
		const char *start = at;
		struct str text = STR_INIT;

		at += len;
		if (start == authorized || (start[-1] != ' ' &&
		    start[-1] != '\t') || (*at != ' ' && *at != '\t'))
			continue;
		at += strspn(at, " \t");
		str_add_bytes(&text, at, strcspn(at, "\r\n"));
		str_trim_end(&text);
		if (text.len > 0)
			return str_detach(&text);
		str_release(&text);
	}
	return NULL;
}

/* The first key that sshd tells of, in base64, given; NULL: none. */
static char *
first_key(const char *auth)
{
	struct vec lines = VEC_INIT, words = VEC_INIT;
	char *key = NULL;

	vec_split(&lines, auth, "\n");
	for (size_t i = 0; i < lines.n && key == NULL; i++) {
		vec_clear(&words);
		vec_split(&words, lines.v[i], " ");
		if (words.n >= 3 && strcmp(words.v[0], "publickey") == 0)
			key = xstrdup(words.v[2]);
	}
	vec_release(&lines);
	vec_release(&words);
	return key;
}

char *
sshkey_name(const char *auth, const char *authorized)
{
	char *key = first_key(auth), *name;

	if (key == NULL)
		return NULL;
	name = comment(authorized, key);
	if (name == NULL)
		name = fingerprint(key);
	free(key);
	return name;
}

char *
sshkey_fingerprint(const char *auth)
{
	char *key = first_key(auth), *print;

	print = key == NULL ? NULL : fingerprint(key);
	free(key);
	return print;
}
