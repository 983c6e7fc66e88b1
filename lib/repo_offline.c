/*
 * libgit2 without its network. These stand in for the members of libgit2.a
 * that speak TLS, ssh and http, so that the linker leaves those out, and
 * with them the eleven libraries that they need. Where there is only the
 * shared library, the Makefile leaves this file out instead.
 *
 * Nothing here connects to anything: git itself receives what is pushed.
 */
#include <stdbool.h>

#include <git2.h>
#include <git2/sys/stream.h>
#include <git2/sys/transport.h>

/* These are libgit2's own; it has no header for them. */
int git_mbedtls_stream_global_init(void);
int git_mbedtls__set_cert_location(const char *file, const char *path);
int git_mbedtls_stream_new(git_stream **out, const char *host,
    const char *port);
int git_mbedtls_stream_wrap(git_stream **out, git_stream *in,
    const char *host);
int git_transport_ssh_global_init(void);
extern bool git_http__expect_continue;

bool git_http__expect_continue = false;

static int
unsupported(void)
{
	git_error_set_str(GIT_ERROR_NET, "there is no network here");
	return GIT_ERROR;
}

int
git_mbedtls_stream_global_init(void)
{
	return 0;
}

int
git_transport_ssh_global_init(void)
{
	return 0;
}

int
git_mbedtls__set_cert_location(const char *file, const char *path)
{
	(void)file;
	(void)path;
	return unsupported();
}

int
git_mbedtls_stream_new(git_stream **out, const char *host, const char *port)
{
	(void)host;
	(void)port;
	*out = NULL;
	return unsupported();
}

int
git_mbedtls_stream_wrap(git_stream **out, git_stream *in, const char *host)
{
	(void)in;
	(void)host;
	*out = NULL;
	return unsupported();
}

int
git_smart_subtransport_http(git_smart_subtransport **out,
    git_transport *owner, void *param)
{
	(void)owner;
	(void)param;
	*out = NULL;
	return unsupported();
}

int
git_smart_subtransport_ssh(git_smart_subtransport **out,
    git_transport *owner, void *param)
{
	(void)owner;
	(void)param;
	*out = NULL;
	return unsupported();
}

int
git_transport_ssh_with_paths(git_transport **out, git_remote *owner,
    void *payload)
{
	(void)owner;
	(void)payload;
	*out = NULL;
	return unsupported();
}
