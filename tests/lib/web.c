#include "tests/lib/web.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "tests/lib/fake_catalog.h"

const char *web_address(void)
{
    static char text[32];
    unsigned number = (unsigned)getpid();
    (void)snprintf(text, sizeof text, "127.%u.%u.1", 100 + number % 100, number / 100 % 250);
    return text;
}

struct web_client *web_dial(struct cu_loop *loop)
{
    struct web_client *client = cu_alloc(sizeof *client);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(WEB_PORT)};
    (void)inet_pton(AF_INET, web_address(), &to.sin_addr);
    client->loop = loop;
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client->fd, (struct sockaddr *)&to, sizeof to), 0);
    ck_assert_int_eq(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
    return client;
}

void web_hang_up(struct web_client *client)
{
    (void)close(client->fd);
    free(client);
}

void web_say(struct web_client *client, const char *text)
{
    for (size_t done = 0, len = strlen(text); done < len;) {
        ssize_t n = send(client->fd, text + done, len - done, MSG_NOSIGNAL);
        if (n > 0)
            done += (size_t)n;
        else
            fake_turn(client->loop);
    }
}

static void listen_to(struct web_client *client)
{
    ssize_t n;
    do {
        n = recv(client->fd, client->reply + client->len, WEB_REPLY_BYTES - 1 - client->len, 0);
        if (n > 0)
            client->len += (size_t)n;
    } while (n > 0);
    client->closed |= n == 0 || (errno != EAGAIN && errno != EINTR);
    client->reply[client->len] = 0;
}

bool web_hears(struct web_client *client, const char *text)
{
    listen_to(client);
    return strstr(client->reply, text) != NULL;
}

void web_forget(struct web_client *client)
{
    client->len = 0;
    client->reply[0] = 0;
}

const char *web_body(const struct web_client *client)
{
    const char *end = strstr(client->reply, "\r\n\r\n");
    return end ? end + 4 : NULL;
}

bool web_is_answered(struct web_client *client)
{
    listen_to(client);
    const char *body = web_body(client);
    const char *length = strstr(client->reply, "Content-Length: ");
    if (!body || !length)
        return false;
    size_t head = (size_t)(body - client->reply);
    return client->len - head >= strtoul(length + strlen("Content-Length: "), NULL, 10);
}
