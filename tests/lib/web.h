/* web.h - an HTTP client for unit tests that turn the server's loop themselves. */
#ifndef TESTS_LIB_WEB_H
#define TESTS_LIB_WEB_H

#include <stdbool.h>
#include <stddef.h>

#include "common/loop/loop.h"

enum { WEB_PORT = 8500, WEB_REPLY_BYTES = 256 * 1024 };

struct web_client {
    struct cu_loop *loop;
    int fd;
    char reply[WEB_REPLY_BYTES]; /* what came since web_forget(), NUL behind it */
    size_t len;
    bool closed;
};

/* A loopback address that no other test process uses at the time. */
const char *web_address(void);

struct web_client *web_dial(struct cu_loop *loop); /* to web_address() and WEB_PORT */
void web_hang_up(struct web_client *client);
void web_say(struct web_client *client, const char *text);
/* Takes what is there; whether `text` has come. */
bool web_hears(struct web_client *client, const char *text);
void web_forget(struct web_client *client);

/* The whole answer has come: head, and as many bytes as Content-Length says. */
bool web_is_answered(struct web_client *client);
const char *web_body(const struct web_client *client); /* of an answer that is there */

#endif
